/**
 * What a screen reader is told of what happens by itself, or without a word on the screen.
 *
 * Stages, ends, problems and the kernel are told at once; progress each tenth of a run, and
 * never twice within ten seconds: who listens must still be able to work.
 */
import type { Problem, RunCard, Workflow } from "../protocol";
import type { Sign } from "./audit";
import { describe, structure } from "./changes";
import { duration, percent } from "./format";
import type { History } from "./history";
import { nameOf } from "./names";
import { latest, progress, sentence, statusWord } from "./runs";

export interface Heard {
  project: string;
  name: string;
  history: Pick<History, "present" | "future">;
  runs: RunCard[];
  problems: Problem[];
  /** What the gate says of each Finetuning node; null while nothing is decided. */
  verdicts: Record<string, { sign: Sign | null; words: string }>;
  lost: boolean;
  /** Edits that cannot be saved at present. */
  unsaved: number;
  held: boolean;
  /** Why the copy on Drive is not up to date. */
  mirror?: string | null;
}

interface Told {
  stage: string;
  status: RunCard["status"];
  tenth: number;
}

const PAUSE_MS = 10_000;

export class Announcer {
  private before: Heard | null = null;
  private runs = new Map<string, Told>();
  private spoke = new Map<string, number>();
  private signs = new Map<string, Sign>();

  /** The sentences that are due, in the order of their weight. */
  hear(now: Heard, at: number): string[] {
    const before = this.before;
    this.before = now;
    if (!before || before.project !== now.project) {
      this.runs = new Map(now.runs.map((run) => [run.id, told(run)]));
      this.spoke.clear();
      this.signs.clear();
      this.gate(now);
      return before ? [opened(now)] : [];
    }
    return [
      ...kernel(before, now),
      ...edited(before, now),
      ...this.running(now, at),
      ...this.gate(now),
      ...problems(before, now),
    ];
  }

  /** Where the gate changed its mind; red is told by the problem that makes it so. */
  private gate(now: Heard): string[] {
    return Object.entries(now.verdicts).flatMap(([node, { sign, words }]) => {
      const was = this.signs.get(node);
      if (sign) this.signs.set(node, sign);
      const tell = sign && sign !== "red" && sign !== was && (was || sign === "amber");
      return tell ? [`${nameIn(now.history.present, node)}: ${words}`] : [];
    });
  }

  private running(now: Heard, at: number): string[] {
    const said: string[] = [];
    for (const run of newest(now)) {
      const was = this.runs.get(run.id);
      const is = told(run);
      this.runs.set(run.id, is);
      const name = nameIn(now.history.present, run.node_id);
      if (!was || was.status !== is.status || was.stage !== is.stage) {
        said.push(`${name}: ${turn(run)}`);
        this.spoke.set(run.id, at);
      } else if (is.tenth > was.tenth && run.status === "running") {
        if (at - (this.spoke.get(run.id) ?? 0) >= PAUSE_MS) {
          said.push(`${name}: ${turn(run)}`);
          this.spoke.set(run.id, at);
        } else this.runs.set(run.id, was); // it is due once the pause is over
      }
    }
    return said;
  }
}

const told = (run: RunCard): Told => ({
  stage: run.status === "running" ? run.stage.stage : "",
  status: run.status,
  tenth: Math.floor((progress(run).value ?? 0) * 10 + 1e-9),
});

/** Of each node the run that it shows. */
const newest = (now: Heard): RunCard[] =>
  now.history.present.nodes.flatMap((n) => {
    const run = n.type === "finetune" ? latest(now.runs, n.id) : undefined;
    return run ? [run] : [];
  });

/** Where a run stands, in one sentence. */
function turn(run: RunCard): string {
  if (run.status === "running") {
    const { value } = progress(run);
    const left = run.seconds_left;
    return sentenceOf(
      run.stage.stage === "training" ? sentence(run) : run.stage.message,
      value === null || run.stage.stage !== "training" ? null : percent(value),
      left === null ? null : `${duration(left)} left`,
    );
  }
  const word = statusWord(run, false);
  if (run.status === "finished") return sentenceOf(word, run.headline);
  if (run.status === "failed") return sentenceOf(word, run.problem?.message ?? null);
  return sentenceOf(word);
}

const sentenceOf = (...parts: (string | null)[]): string => {
  const text = parts
    .filter(Boolean)
    .join(", ")
    .replace(/[.…]+$/, "");
  return `${text}.`;
};

function nameIn(doc: Workflow, id: string | null): string {
  const node = doc.nodes.find((n) => n.id === id);
  return node ? nameOf(node) : "A removed node";
}

function opened(now: Heard): string {
  const nodes = now.history.present.nodes.length;
  const what = nodes === 0 ? "empty" : nodes === 1 ? "1 node" : `${nodes} nodes`;
  return `Project ${now.name}, ${what}.`;
}

function kernel(before: Heard, now: Heard): string[] {
  const said: string[] = [];
  if (now.lost && !before.lost) said.push("The kernel does not answer. Edits are kept here.");
  if (!now.lost && before.lost) said.push("The kernel answers again.");
  if (now.held !== before.held)
    said.push(now.held ? "Read only: open in another notebook." : "This project can be edited.");
  if (now.mirror && !before.mirror) said.push(now.mirror);
  if (before.mirror && now.mirror === null) said.push("The copy is saved again.");
  if (before.unsaved > 0 && now.unsaved === 0) said.push("Your edits are saved.");
  if (before.unsaved === 0 && now.unsaved > 0) said.push("Your edits are not saved yet.");
  return said;
}

/** Undo and redo by what they did; of other edits those that no field shows. */
function edited(before: Heard, now: Heard): string[] {
  const [old, is] = [before.history, now.history];
  if (old.present === is.present) return [];
  if (is.future.includes(old.present)) {
    return line("Undone", describe(is.present, old.present));
  }
  if (old.future.includes(is.present)) {
    return line("Redone", describe(old.present, is.present));
  }
  const what = structure(old.present, is.present);
  return what ? [`${what.charAt(0).toUpperCase()}${what.slice(1)}.`] : [];
}
const line = (word: string, what: string): string[] => [what ? `${word}: ${what}.` : `${word}.`];

function problems(before: Heard, now: Heard): string[] {
  const key = (p: Problem) => `${p.code}|${p.node}|${p.field}|${p.message}`;
  const known = new Set(before.problems.map(key));
  const fresh = now.problems.filter((p) => !known.has(key(p)));
  const [first] = fresh;
  if (first) {
    const at = first.node === null ? "" : ` at ${nameIn(now.history.present, first.node)}`;
    const more = fresh.length > 1 ? ` And ${fresh.length - 1} more.` : "";
    return [`Problem${at}: ${first.message}${more}`];
  }
  const solved = before.problems.length > 0 && now.problems.length === 0;
  return solved ? ["No problems are left."] : [];
}
