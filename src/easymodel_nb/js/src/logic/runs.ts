/** What a node shows of its runs. */
import type { Problem, ProblemsState, RunCard, Workflow } from "../protocol";
import { amount, ordinal, percent } from "./format";
import { groups, once, onceOfTwo } from "./once";
import { reached } from "./ports";

export type NodeStatus = "idle" | RunCard["status"];

export const isActive = (run: RunCard | undefined): boolean =>
  run?.status === "queued" || run?.status === "running";

/** The run a node shows: the one under way, the next that waits, the newest; newest come first. */
export const latest = (runs: RunCard[], node: string): RunCard | undefined =>
  latestOfEach(runs).get(node);

const latestOfEach = once(
  (runs: RunCard[]) =>
    new Map([...groups(runs, (run) => run.node_id)].map(([node, mine]) => [node, shown(mine)])),
);

function shown(mine: RunCard[]): RunCard | undefined {
  const next = mine
    .filter((run) => run.status === "queued")
    .sort((a, b) => (a.queue_position ?? 0) - (b.queue_position ?? 0))[0];
  return mine.find((run) => run.status === "running") ?? next ?? mine[0];
}

/** The runs of the sweep a run belongs to, in the order in which they were queued. */
export const ofSweep = (runs: RunCard[], run: RunCard): RunCard[] =>
  run.sweep === null
    ? [run]
    : runs
        .filter((r) => r.sweep === run.sweep && r.node_id === run.node_id)
        .sort((a, b) => (a.id < b.id ? -1 : 1));

/** How full each segment of the bar is, 0 to 1: one an epoch, at most 12, else one for all. */
export function segments(fraction: number, epochs: number): number[] {
  const n = Number.isInteger(epochs) && epochs > 1 && epochs <= 12 ? epochs : 1;
  return Array.from({ length: n }, (_, i) => Math.min(1, Math.max(0, fraction * n - i)));
}

export interface Progress {
  /** 0 to 1; null while the stage cannot say. */
  value: number | null;
  /** One segment an epoch, or a plain bar for the stages before training. */
  bar: number[];
}

/** The bar: of the whole training once it began, of the stage before that. */
export function progress(run: RunCard): Progress {
  const { stage, done, total } = run.stage;
  if (run.status === "finished") return { value: 1, bar: segments(1, run.epochs) };
  const trained = run.fraction ?? (run.max_steps > 0 ? run.step / run.max_steps : null);
  const before = stage === "loading" || stage === "preparing" || stage === "baseline";
  if (before && isActive(run)) {
    const part = done !== null && total ? Math.min(1, done / total) : null;
    return { value: part, bar: [part ?? 0] };
  }
  return { value: trained, bar: segments(trained ?? 0, run.epochs) };
}

const BEFORE: Record<string, string> = {
  loading: "Loading",
  preparing: "Preparing",
  baseline: "Baseline",
};

/** How far a running run is, in a word: of the whole, never of a stage before training. */
export function pace(run: RunCard): string {
  const { value } = progress(run);
  return BEFORE[run.stage.stage] ?? (value === null ? "Starting" : percent(value));
}

/** The sentence about what the run does: "Training, epoch 2 of 3", "Loading, 12 of 40 MB". */
export function sentence(run: RunCard): string {
  const { stage, message } = run.stage;
  if (stage === "training" && run.epochs > 0) {
    const epoch = Math.min(Math.floor(run.epoch) + 1, Math.ceil(run.epochs));
    return `Training, epoch ${epoch} of ${Math.ceil(run.epochs)}`;
  }
  const much = amount(run.stage);
  const numbers = much && !message.includes(much) ? `, ${much}` : "";
  const text = message.replace(/[.…]+$/, "");
  const epoch = run.epochs > 0 ? text.replace(/epoch (\d+)$/, `epoch $1 of ${run.epochs}`) : text;
  return `${epoch}${numbers}`;
}

export function statusWord(run: RunCard | undefined, lost: boolean): string {
  if (!run) return "";
  if (lost && run.status === "running") return "No news";
  switch (run.status) {
    case "queued": {
      const place = run.queue_position;
      if (place === null) return "Queued";
      return place === 0 ? "Queued, next" : `Queued, ${ordinal(place + 1)}`;
    }
    case "running":
      return "Running";
    case "finished":
      return "Finished";
    case "stopped":
      return run.fraction === null ? "Stopped" : `Stopped at ${percent(run.fraction)}`;
    case "interrupted":
      return "Interrupted";
    default:
      return "Failed";
  }
}

/** Every problem to show on a node: what the check says, what a refused train said, what its last run met. */
export function problemsOf(
  node: string,
  checked: ProblemsState["items"],
  refused: Problem[],
  failed: Problem[],
): Problem[] {
  // A run that failed for what the check says as well adds nothing but other words.
  const told = new Set(checked.map((p) => `${p.code}|${p.node}|${p.field}`));
  const others = failed.filter((p) => !told.has(`${p.code}|${p.node}|${p.field}`));
  return unique([...checked, ...refused, ...others].filter((p) => p.node === node));
}

/** What the failed newest runs met; without a node of its own a problem is its run's. */
export function failures(runs: RunCard[], mended: string[] = []): Problem[] {
  return newestPerNode(runs).flatMap((run) =>
    run.status === "failed" && run.problem && !mended.includes(run.id)
      ? [{ ...run.problem, node: run.problem.node ?? run.node_id }]
      : [],
  );
}

/** Whether an error of the check concerns this node: its own, of what flows into it, or of all. */
export function blocks(problems: Problem[], doc: Workflow, node: string): boolean {
  const { all, nodes } = blocked(problems, doc.edges);
  return all || nodes.has(node);
}

const blocked = onceOfTwo((problems: Problem[], edges: Workflow["edges"]) => {
  const errors = problems.filter((p) => p.severity === "error");
  const from = errors.flatMap((p) => (p.node === null ? [] : [p.node]));
  return { all: errors.some((p) => p.node === null), nodes: reached(edges, from) };
});

/** The newest run of each node. */
export function newestPerNode(runs: RunCard[]): RunCard[] {
  return [...latestOfEach(runs).values()].filter((run) => run !== undefined);
}

export function unique(problems: Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter((p) => {
    const key = `${p.code}|${p.node}|${p.field}|${p.message}`;
    return !seen.has(key) && seen.add(key);
  });
}
