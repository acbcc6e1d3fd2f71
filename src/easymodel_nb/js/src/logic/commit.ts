/**
 * The commit protocol: the view holds the working copies and Python the revisions.
 *
 * Each project has a line of its own (commit-line.ts). One that is left with unsaved edits
 * goes on until they are saved, and is the working copy again when its project comes back.
 */
import type { CommitParams, CommitResult, DocumentState, Workflow } from "../protocol";
import type { Choice, Clash } from "./clash";
import {
  type Arrival,
  DEBOUNCE_MS,
  type Draft,
  Line,
  type CommitView as LineView,
  RESEND_MS,
} from "./commit-line";
import { merge, sameWork } from "./merge";

export { type Arrival, DEBOUNCE_MS, type Draft, RESEND_MS };

/** A draft that was left behind in this browser. */
export interface Left extends Draft {
  key: string;
  /** When it was kept, in milliseconds. */
  at: number;
}
export interface CommitView extends LineView {
  /** Edits made while the kernel was away, to be used or discarded. */
  offer: Left | null;
}
interface Ports {
  client: string;
  send: (params: CommitParams, limit: number) => Promise<CommitResult>;
  /** The working copy becomes this document. */
  adopt: (document: Workflow, how: Arrival) => void;
  changed: (view: CommitView) => void;
  /** The drafts of others left behind in this browser; a young one may still be at work. */
  drafts: (projectId: string) => Left[];
  /** Keeps our own draft; null: none needed. */
  keep: (projectId: string, draft: Draft | null) => void;
  drop: (key: string) => void;
}
/** Younger than this, a draft belongs to a tab that is committing it at this moment. */
export const YOUNG_MS = 3_000;

export class Committer {
  readonly #ports: Ports;
  readonly #lines = new Map<string, Line>();
  #line: Line | null = null;
  #offers: Left[] = [];
  #look: ReturnType<typeof setTimeout> | null = null;
  /** Another notebook has the project: here nothing is edited, so nothing joined unasked. */
  #held = false;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  get projectId(): string {
    return this.#line?.projectId ?? "";
  }
  get rev(): number {
    return this.#line?.rev ?? 0;
  }
  get dirty(): boolean {
    return this.#line?.dirty ?? false;
  }

  /** The user changed the document. */
  edit(document: Workflow): void {
    this.#line?.edit(document);
  }

  /** The revision that holds everything up to now, committed first when needed. */
  flush(): Promise<number> {
    return this.#line?.flush() ?? Promise.resolve(0);
  }

  /** The `document` trait, at the start and on each change. */
  receive(state: DocumentState): void {
    this.#held = state.held !== null;
    const line = this.#line;
    if (state.project_id !== line?.projectId) {
      this.#open(state);
    } else {
      line.receive(state);
      this.#forgetContained(line);
    }
  }

  /** Answers a conflict. */
  resolve(choose: Choice | ((clash: Clash) => Choice)): void {
    this.#line?.resolve(choose);
  }

  /** Sends at once what is waiting, in every project. */
  retry(): void {
    for (const line of this.#lines.values()) line.retry();
  }

  /** Takes the offered edits on, on top of what was done since; or lets go of them. */
  async answer(use: boolean): Promise<void> {
    const [offer, line] = [this.#offers[0], this.#line];
    if (!offer || !line) return;
    if (use && !this.#join(line, offer)) {
      await line.flush(); // both sides are asked about, so ours has a revision first
      if (line !== this.#line || this.#offers[0] !== offer) return;
      line.takeOn(offer);
    }
    this.#offers = this.#offers.slice(1);
    this.#drop(offer, line);
    line.tell();
  }

  /** Makes a draft an edit like any other, where nothing it holds was changed since. */
  #join(line: Line, draft: Draft): boolean {
    const { document, clashes } = merge([draft.base], draft.document, line.document);
    if (clashes.length > 0) return false;
    this.#ports.adopt(document, "update");
    line.edit(document);
    return true;
  }

  dispose(): void {
    if (this.#look) clearTimeout(this.#look);
    for (const line of this.#lines.values()) line.dispose();
  }

  #open(state: DocumentState): void {
    // The last edits still belong to the project that is left.
    this.#line?.leave("Another project was opened.");
    this.#line?.retry();
    for (const [id, line] of this.#lines) if (!line.dirty) this.#lines.delete(id);
    const known = this.#lines.get(state.project_id);
    const line = known ?? new Line(state, this.#linePorts());
    this.#lines.set(state.project_id, line);
    this.#line = line;
    this.#offers = [];
    this.#ports.adopt(line.document, "open");
    if (known) line.receive(state);
    this.#lookForDrafts(line);
    line.tell();
  }

  #linePorts() {
    const { client, send } = this.#ports;
    return {
      client,
      send,
      adopt: (line: Line, document: Workflow, how: Arrival) => {
        if (line === this.#line) this.#ports.adopt(document, how);
      },
      changed: (line: Line, view: LineView) => {
        if (line === this.#line) {
          this.#ports.changed({ ...view, offer: this.#offers[0] ?? null });
        } else if (!line.dirty) {
          this.#lines.delete(line.projectId);
        }
      },
      keep: (line: Line, draft: Draft | null) => this.#ports.keep(line.projectId, draft),
    };
  }

  /**
   * Edits that no kernel got, of a page that was closed since. Those of the moment before a
   * reload are simply ours again, if nobody changed anything since; all others are offered.
   */
  #lookForDrafts(line: Line): void {
    if (this.#look) clearTimeout(this.#look);
    this.#look = null;
    for (const left of this.#ports.drafts(line.projectId)) {
      if (this.#offers.some((o) => o.key === left.key)) continue;
      if (Date.now() - left.at < YOUNG_MS) {
        this.#look ??= setTimeout(() => this.#again(line), YOUNG_MS);
      } else if (contained(left, line.document)) {
        this.#ports.drop(left.key);
      } else if (!left.away && !this.#held && !line.dirty && left.rev === line.rev) {
        this.#join(line, left);
        this.#ports.drop(left.key);
      } else {
        this.#offers.push(left);
      }
    }
  }

  /** The page that made them has saved them after all. */
  #forgetContained(line: Line): void {
    const there = this.#offers.filter((offer) => contained(offer, line.document));
    if (there.length === 0) return;
    this.#offers = this.#offers.filter((offer) => !there.includes(offer));
    for (const offer of there) this.#drop(offer, line);
    line.tell();
  }

  /** Lets go of a draft as it was read; its page may have lived on, and kept more since. */
  #drop(left: Left, line: Line): void {
    const now = this.#ports.drafts(line.projectId).find(({ key }) => key === left.key);
    if (now && !sameWork(now.document, left.document)) this.#lookForDrafts(line);
    else this.#ports.drop(left.key);
  }

  #again(line: Line): void {
    if (this.#line !== line) return;
    this.#lookForDrafts(line);
    line.tell();
  }
}

/** Whether a document has all that a draft would bring. */
function contained(draft: Draft, document: Workflow): boolean {
  const merged = merge([draft.base], draft.document, document);
  return merged.clashes.length === 0 && sameWork(merged.document, document);
}
