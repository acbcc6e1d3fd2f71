/**
 * One project's working copy on its way to the kernel.
 *
 * One commit is under way at a time. What was sent and never answered may have arrived, so
 * it is sent again as it was until it is answered; what was edited since goes after it. A
 * foreign revision is joined with what is unsaved (merge.ts), or asked about where both
 * sides changed the same. Nothing is ever dropped without being asked.
 */
import type { CommitParams, CommitResult, DocumentState, Workflow } from "../protocol";
import type { Choice, Clash } from "./clash";
import { trainsTheSame } from "./graph";
import { merge, sameWork } from "./merge";
import { Failure } from "./rpc";

export const DEBOUNCE_MS = 300;
export const RESEND_MS = 5_000;
export const CONFLICT = "This project was changed elsewhere: choose above which version to keep.";

/** A kernel that refuses each of them makes no more of them worth knowing. */
const SENT = 20;

export interface Foreign {
  rev: number;
  document: Workflow;
}
export interface Conflict extends Foreign {
  clashes: Clash[];
}
export interface CommitView {
  unsaved: number;
  /** Some of it is more than where a node lies: what was found of the document is of the past. */
  unchecked: boolean;
  saving: boolean;
  conflict: Conflict | null;
  failure: string | null;
}
/** Edits that no kernel confirmed, with the revision and the document they were made from. */
export interface Draft {
  rev: number;
  base: Workflow;
  document: Workflow;
  /** Whether the kernel did not answer when they were made. */
  away: boolean;
}
/** How the working copy came by a document: opened, changed elsewhere, or joined with ours. */
export type Arrival = "open" | "update" | "merge";
export interface LinePorts {
  client: string;
  send: (params: CommitParams, limit: number) => Promise<CommitResult>;
  adopt: (line: Line, document: Workflow, how: Arrival) => void;
  changed: (line: Line, view: CommitView) => void;
  keep: (line: Line, draft: Draft | null) => void;
}
interface Sent {
  version: number;
  document: Workflow;
  /** Sent before without an answer. */
  tried: boolean;
}
interface Waiter {
  version: number;
  resolve: (rev: number) => void;
  reject: (error: Error) => void;
}

export class Line {
  readonly projectId: string;
  rev: number;
  document: Workflow;
  readonly #ports: LinePorts;
  /** The document of `rev`: what ours and theirs have in common. */
  #base: Workflow;
  #version = 0;
  #acked = 0;
  /** Sent since the last answer, oldest first: a reply may be lost, its effect is not. */
  #sent: Sent[] = [];
  /** The commit that has to be answered before the next one; it may have arrived. */
  #flight: Sent | null = null;
  #under = false;
  #conflict: Conflict | null = null;
  #failure: string | null = null;
  /** Refused because another notebook has the project: sent again once that is over. */
  #held = false;
  #away = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #waiters: Waiter[] = [];
  #attempt = 0;

  constructor(state: DocumentState, ports: LinePorts) {
    this.projectId = state.project_id;
    this.rev = state.rev;
    this.document = state.document;
    this.#base = state.document;
    this.#ports = ports;
  }

  get dirty(): boolean {
    return this.#version > this.#acked;
  }

  get view(): CommitView {
    return {
      unsaved: this.#version - this.#acked,
      unchecked: this.dirty && !trainsTheSame(this.#base, this.document),
      saving: this.#under,
      conflict: this.#conflict,
      failure: this.#failure,
    };
  }

  edit(document: Workflow): void {
    this.document = document;
    this.#version += 1;
    if (this.#conflict) this.#meet(this.#conflict);
    else this.#schedule(DEBOUNCE_MS);
    this.tell();
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

  /** A revision as the `document` trait tells it. */
  receive(state: DocumentState): void {
    if (this.#held && !state.held) this.retry();
    if (state.rev <= Math.max(this.rev, this.#conflict?.rev ?? 0)) return;
    const mine = this.#ours(state.document);
    if (mine) {
      this.#ack(mine, state);
    } else if (!this.dirty) {
      this.rev = state.rev;
      this.document = state.document;
      this.#base = state.document;
      this.#ports.adopt(this, state.document, "update");
      this.tell();
    } else if (this.#conflict || !this.#flight) {
      this.#meet(state);
      this.tell();
    } // else our commit names its base, and its answer tells of the conflict
  }

  /** Answers a conflict: whose side is taken where both changed the same. */
  resolve(choose: Choice | ((clash: Clash) => Choice)): void {
    const foreign = this.#conflict;
    if (!foreign) return;
    const choice = typeof choose === "string" ? () => choose : choose;
    const { document } = merge(this.#bases(), this.document, foreign.document, choice);
    this.#take(document, foreign, "update");
    this.tell();
  }

  /** Edits made from another revision become ours: joined, or asked about. */
  takeOn(draft: Draft): void {
    const now = { rev: this.rev, document: this.document };
    this.#base = draft.base;
    this.rev = Math.min(draft.rev, now.rev); // a store may be older than what a browser kept
    this.document = draft.document;
    this.#version += 1;
    this.#ports.adopt(this, draft.document, "update");
    this.#meet(now);
    this.tell();
  }

  /** Sends at once what is waiting. */
  retry(): void {
    this.#failure = null;
    this.#held = false;
    this.#send();
    this.tell();
  }

  /** Says how things stand, and keeps what is unsaved. */
  tell(): void {
    const { rev, document } = this;
    const draft = this.dirty ? { rev, base: this.#base, document, away: this.#away } : null;
    this.#ports.keep(this, draft);
    this.#ports.changed(this, this.view);
  }

  /** Nobody waits for a revision any more. */
  leave(why: string): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(new Error(why));
  }

  dispose(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#attempt += 1;
    this.leave("The studio was closed.");
  }

  #bases(): Workflow[] {
    return [this.#base, ...this.#sent.map((s) => s.document)];
  }

  #schedule(delay: number): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), delay);
  }

  #send(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.dirty || this.#conflict || this.#under) return;
    if (!this.#flight) {
      this.#flight = { version: this.#version, document: this.document, tried: false };
      this.#sent = [...this.#sent, this.#flight].slice(-SENT);
    }
    this.#under = true;
    const [flight, attempt] = [this.#flight, this.#attempt];
    const { projectId: project_id, rev: base_rev } = this;
    const { client } = this.#ports;
    this.tell();
    this.#ports.send({ project_id, client, base_rev, document: flight.document }, RESEND_MS).then(
      ({ rev }) =>
        attempt === this.#attempt && this.#ack(flight, { rev, document: flight.document }),
      (error: unknown) => attempt === this.#attempt && this.#refused(error),
    );
  }

  /** What never left is not waited for: the newest goes next. */
  #unsent(): void {
    const flight = this.#flight;
    if (!flight || flight.tried) return;
    this.#flight = null;
    this.#sent = this.#sent.filter((s) => s !== flight);
  }

  #ours(document: Workflow): Sent | undefined {
    return this.#sent.findLast((s) => sameWork(s.document, document));
  }

  #ack({ version }: Sent, { rev, document }: Foreign): void {
    this.rev = rev;
    this.#base = document;
    this.#acked = Math.max(this.#acked, version);
    this.#answered();
    this.#failure = null;
    this.#away = false;
    this.#settle();
    this.#send();
    this.tell();
  }

  /** No answer is waited for, and none that still comes is listened to. */
  #answered(): void {
    this.#sent = [];
    this.#flight = null;
    this.#under = false;
    this.#conflict = null;
    this.#attempt += 1;
  }

  #refused(error: unknown): void {
    this.#under = false;
    const failure = error instanceof Failure ? error : null;
    if (failure?.code === "conflict") {
      const foreign = failure.data as unknown as Foreign;
      const mine = this.#ours(foreign.document);
      if (mine) this.#ack(mine, foreign);
      else this.#meet(foreign);
    } else if (failure?.code === "timeout") {
      this.#away = true;
      if (this.#flight) this.#flight.tried = true;
      this.#schedule(0);
    } else if (failure?.code === "disconnected") {
      this.#away = true;
      this.#unsent();
      this.#schedule(RESEND_MS);
    } else {
      // Refused for a reason (too large, project gone): the edit stays, and so does the sentence.
      this.#flight = null;
      this.#held = failure?.code === "held";
      this.#failure = failure?.message ?? String(error);
      for (const waiter of this.#waiters.splice(0)) waiter.reject(error as Error);
    }
    this.tell();
  }

  /** A foreign revision meets unsaved edits. */
  #meet(foreign: Foreign): void {
    const { document, clashes } = merge(this.#bases(), this.document, foreign.document);
    if (clashes.length === 0) {
      this.#take(document, foreign, "merge");
    } else {
      this.#conflict = { rev: foreign.rev, document: foreign.document, clashes };
      this.leave(CONFLICT);
    }
  }

  /** The working copy is this document now, made on top of the foreign revision. */
  #take(document: Workflow, foreign: Foreign, how: Arrival): void {
    const before = this.document;
    this.rev = foreign.rev;
    this.#base = foreign.document;
    this.#answered();
    this.document = document;
    this.#version += 1;
    if (sameWork(document, foreign.document)) this.#acked = this.#version;
    if (!sameWork(document, before)) this.#ports.adopt(this, document, how);
    this.#settle();
    this.#send();
  }

  #settle(): void {
    const done = this.#waiters.filter((w) => w.version <= this.#acked);
    this.#waiters = this.#waiters.filter((w) => w.version > this.#acked);
    for (const waiter of done) waiter.resolve(this.rev);
  }
}
