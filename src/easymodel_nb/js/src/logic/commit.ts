/**
 * The commit protocol: the view holds the working copy and Python the revisions.
 *
 * Edits are sent 300 ms after the last one, one commit at a time, and again when no
 * answer comes. A foreign revision is adopted when nothing local is unsaved; else it
 * is a conflict that the user decides. Nothing is ever dropped without being asked.
 */
import type { CommitParams, CommitResult, DocumentState, Workflow } from "../protocol";
import { same } from "./graph";
import { Failure } from "./rpc";

export const DEBOUNCE_MS = 300;
export const RESEND_MS = 5_000;

export interface Foreign {
  rev: number;
  document: Workflow;
}
export interface CommitView {
  unsaved: number;
  saving: boolean;
  conflict: Foreign | null;
  failure: string | null;
}
/** Edits that a kernel never confirmed, kept in this browser. */
export interface Draft {
  rev: number;
  document: Workflow;
}
interface Ports {
  client: string;
  send: (params: CommitParams, limit: number) => Promise<CommitResult>;
  /** The working copy becomes this document. */
  adopt: (document: Workflow, how: "open" | "update") => void;
  changed: (view: CommitView) => void;
  /** The draft left behind in this browser, and where to leave one (null: none needed). */
  draft: (projectId: string) => Draft | null;
  keep: (projectId: string, draft: Draft | null) => void;
}
interface Waiter {
  version: number;
  resolve: (rev: number) => void;
  reject: (error: Error) => void;
}

export class Committer {
  projectId = "";
  rev = 0;
  readonly #ports: Ports;
  #document: Workflow | null = null;
  #version = 0;
  #acked = 0;
  #sending: number | null = null;
  /** What was sent since the last answer: a reply may be lost, its effect is not. */
  #sent: { version: number; document: Workflow }[] = [];
  #conflict: Foreign | null = null;
  #failure: string | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #waiters: Waiter[] = [];
  #attempt = 0;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  get dirty(): boolean {
    return this.#version > this.#acked;
  }

  /** The user changed the document. */
  edit(document: Workflow): void {
    this.#document = document;
    this.#version += 1;
    this.#schedule(DEBOUNCE_MS);
    this.#tell();
  }

  /** The revision that holds everything up to now, committed first when needed. */
  flush(): Promise<number> {
    if (!this.dirty) return Promise.resolve(this.rev);
    if (this.#conflict) return Promise.reject(new Error(CONFLICT));
    const version = this.#version;
    return new Promise((resolve, reject) => {
      this.#waiters.push({ version, resolve, reject });
      this.#send();
    });
  }

  /** The `document` trait, at the start and on each change. */
  receive(state: DocumentState): void {
    if (state.project_id !== this.projectId) {
      this.#open(state);
      return;
    }
    if (state.rev <= this.rev) return;
    const mine = this.#ours(state.document);
    if (mine !== null) {
      this.#ack(mine, state.rev);
    } else if (!this.dirty) {
      this.rev = state.rev;
      this.#document = state.document;
      this.#ports.adopt(state.document, "update");
      this.#tell();
    } // else our next commit names its base and is told of the conflict
  }

  /** Answers a conflict. */
  resolve(choice: "mine" | "theirs"): void {
    const foreign = this.#conflict;
    if (!foreign) return;
    this.#conflict = null;
    this.rev = foreign.rev;
    if (choice === "mine") {
      this.#send();
    } else {
      this.#acked = this.#version;
      this.#document = foreign.document;
      this.#ports.adopt(foreign.document, "update");
      this.#settle();
    }
    this.#tell();
  }

  /** Sends at once what is waiting: the kernel has been heard again. */
  retry(): void {
    if (this.dirty && !this.#conflict) this.#send();
  }

  dispose(): void {
    if (this.#timer) clearTimeout(this.#timer);
    for (const waiter of this.#waiters.splice(0))
      waiter.reject(new Error("The studio was closed."));
  }

  #open(state: DocumentState): void {
    // Another tab opened another project: the last edits still belong to the old one.
    if (this.dirty && this.projectId && !this.#conflict) void this.#transmit().catch(() => {});
    for (const waiter of this.#waiters.splice(0))
      waiter.reject(new Error("Another project was opened."));
    this.#attempt += 1; // answers to the old project are not ours any more
    this.projectId = state.project_id;
    this.rev = state.rev;
    this.#document = state.document;
    this.#acked = this.#version;
    this.#sending = null;
    this.#sent = [];
    this.#conflict = null;
    this.#failure = null;
    const draft = this.#ports.draft(state.project_id);
    if (!draft || same(draft.document, state.document)) {
      this.#ports.adopt(state.document, "open");
    } else {
      this.#restore(draft, state);
    }
    this.#tell();
  }

  /** The kernel went away before it had these edits: they are the working copy again. */
  #restore(draft: Draft, state: DocumentState): void {
    this.#ports.adopt(state.document, "open");
    this.#ports.adopt(draft.document, "update");
    this.#document = draft.document;
    this.#version += 1;
    if (draft.rev === state.rev) this.#schedule(DEBOUNCE_MS);
    else this.#conflict = { rev: state.rev, document: state.document };
  }

  #schedule(delay: number): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), delay);
  }

  #transmit(): Promise<CommitResult> {
    const document = this.#document as Workflow;
    return this.#ports.send(
      { project_id: this.projectId, client: this.#ports.client, base_rev: this.rev, document },
      RESEND_MS,
    );
  }

  #send(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.dirty || this.#conflict || this.#sending !== null || !this.#document) return;
    const [version, attempt] = [this.#version, this.#attempt];
    this.#sending = version;
    this.#sent = [...this.#sent, { version, document: this.#document }].slice(-8);
    this.#tell();
    this.#transmit().then(
      (result) => attempt === this.#attempt && this.#ack(version, result.rev),
      (error: unknown) => attempt === this.#attempt && this.#refused(error),
    );
  }

  #ours(document: Workflow): number | null {
    return this.#sent.findLast((s) => same(s.document, document))?.version ?? null;
  }

  #ack(version: number, rev: number): void {
    this.rev = Math.max(this.rev, rev);
    this.#acked = Math.max(this.#acked, version);
    this.#sent = this.#sent.filter((s) => s.version > version);
    this.#sending = null;
    this.#failure = null;
    this.#attempt += 1;
    this.#settle();
    this.#send();
    this.#tell();
  }

  #refused(error: unknown): void {
    this.#sending = null;
    const failure = error instanceof Failure ? error : null;
    if (failure?.code === "conflict") {
      const foreign = failure.data as unknown as Foreign;
      const mine = this.#ours(foreign.document);
      if (mine !== null) {
        this.#ack(mine, foreign.rev);
        return;
      }
      this.#conflict = { rev: foreign.rev, document: foreign.document };
      for (const waiter of this.#waiters.splice(0)) waiter.reject(new Error(CONFLICT));
    } else if (failure?.code === "timeout" || failure?.code === "disconnected") {
      this.#schedule(failure.code === "timeout" ? 0 : RESEND_MS);
    } else {
      // Refused for a reason (too large, project gone): the edit stays, and so does the sentence.
      this.#failure = failure?.message ?? String(error);
      for (const waiter of this.#waiters.splice(0)) waiter.reject(error as Error);
    }
    this.#tell();
  }

  #settle(): void {
    const done = this.#waiters.filter((w) => w.version <= this.#acked);
    this.#waiters = this.#waiters.filter((w) => w.version > this.#acked);
    for (const waiter of done) waiter.resolve(this.rev);
  }

  #tell(): void {
    if (this.projectId && this.#document) {
      const draft = this.dirty ? { rev: this.rev, document: this.#document } : null;
      this.#ports.keep(this.projectId, draft);
    }
    this.#ports.changed({
      unsaved: this.#version - this.#acked,
      saving: this.#sending !== null,
      conflict: this.#conflict,
      failure: this.#failure,
    });
  }
}

const CONFLICT = "This project was changed elsewhere: choose above which version to keep.";
