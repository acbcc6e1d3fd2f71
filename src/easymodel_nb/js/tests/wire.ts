/** A kernel that stores revisions, and pages that reach it over a wire that loses messages. */
import { Committer, type CommitView, type Draft, type Left } from "../src/logic/commit";
import { type Request, Rpc } from "../src/logic/rpc";
import type { Workflow } from "../src/protocol";
import { three } from "./make";

/** What Python's store does with a commit, by widgets/commands/document.py. */
export class Kernel {
  readonly log: Workflow[] = [three()];
  get rev(): number {
    return this.log.length;
  }
  get document(): Workflow {
    return this.log[this.rev - 1] as Workflow;
  }
  /** The text a message travels as, so that nothing is shared. */
  commit({ base_rev, document }: { base_rev: number; document: Workflow }) {
    if (JSON.stringify(document) === JSON.stringify(this.document)) return this.done();
    if (base_rev !== this.rev) {
      const data = { rev: this.rev, document: this.document };
      return { ok: false, error: { code: "conflict", message: "changed elsewhere", data } };
    }
    this.log.push(document);
    return this.done();
  }
  done = () => ({ ok: true, result: { rev: this.rev } });
  state = () => ({
    seq: this.rev,
    held: null,
    project_id: "p",
    rev: this.rev,
    document: this.document,
  });
}

export interface Message {
  to: "kernel" | Page;
  text: string;
}

const storage = new Map<string, Draft & { at: number }>();
let pages = 0;

/** One browser page: working copy, committer and rpc as the studio has them. */
export class Page {
  document: Workflow;
  view: CommitView | undefined;
  readonly committer: Committer;
  readonly rpc: Rpc;

  constructor(kernel: Kernel, wire: Message[]) {
    pages += 1;
    const client = `page-${pages}`;
    this.document = kernel.document;
    this.rpc = new Rpc((request: Request) =>
      wire.push({ to: "kernel", text: JSON.stringify({ from: client, request }) }),
    );
    names.set(client, this);
    this.committer = new Committer({
      client,
      send: (params, limit) => this.rpc.call("commit", params, limit),
      adopt: (document) => {
        this.document = document;
      },
      changed: (view) => {
        this.view = view;
      },
      drafts: () =>
        [...storage].flatMap(([key, kept]): Left[] => (key === client ? [] : [{ ...kept, key }])),
      keep: (_, draft) => {
        if (draft) storage.set(client, { ...draft, at: Date.now() });
        else storage.delete(client);
      },
      drop: (key) => void storage.delete(key),
    });
    this.committer.receive(kernel.state());
  }

  edit(change: (doc: Workflow) => Workflow): void {
    const changed = change(this.document);
    if (changed === this.document) return;
    this.document = changed;
    this.committer.edit(changed);
  }

  close(): void {
    this.committer.dispose();
    this.rpc.dispose();
    this.view = undefined;
  }
}

const names = new Map<string, Page>();
export function clean(): void {
  storage.clear();
  names.clear();
}

/** Hands a message over; what comes of it is put on the wire. */
export function deliver(message: Message, kernel: Kernel, wire: Message[], open: Page[]): void {
  const content = JSON.parse(message.text);
  if (message.to !== "kernel") {
    if (!open.includes(message.to)) return;
    if (content.state) message.to.committer.receive(content.state);
    else message.to.rpc.receive(content);
    return;
  }
  const before = kernel.rev;
  const answer = kernel.commit(content.request.params);
  const page = names.get(content.from);
  if (page) wire.push({ to: page, text: JSON.stringify({ id: content.request.id, ...answer }) });
  if (kernel.rev === before) return;
  for (const to of open) wire.push({ to, text: JSON.stringify({ state: kernel.state() }) });
}
