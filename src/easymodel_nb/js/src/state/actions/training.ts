/** Runs: started, stopped, resumed, measured, written as code. */
import { again } from "../../logic/again";
import * as graph from "../../logic/graph";
import { type RunRecord, restored } from "../../logic/record";
import { Failure } from "../../logic/rpc";
import { isActive, latest } from "../../logic/runs";
import { layOut } from "../../logic/sweep";
import { DEFAULTS, type Problem } from "../../protocol";
import { download } from "../browser";
import { type Desk, without } from "./desk";

/** Where one thread of the kernel does everything, a stop waits in line for the running cell. */
const STOP_WAITS_MS = 3_000;
const STOP_LIMIT_MS = 600_000;
const STOP_WAITS =
  "Stop has not reached the run yet: the kernel is busy with a cell. It stops when that cell " +
  "ends; interrupt the cell to stop now.";

export function trainingActions(desk: Desk) {
  const {
    call,
    get,
    set,
    doc,
    notify,
    report,
    edit,
    attempt,
    atRev,
    mended,
    setUnfolded,
    setOpen,
  } = desk;
  const placed = (p: Problem) => p.node !== null && doc().nodes.some((n) => n.id === p.node);

  async function train(node: string | null): Promise<void> {
    const mark = node ?? "*";
    if (get().starting.includes(mark)) return;
    set({ starting: [...get().starting, mark], refused: [], notice: null });
    try {
      await atRev((rev) => call("train", { node, rev }));
      if (node) setUnfolded(node, false);
    } catch (error) {
      const problems = error instanceof Failure ? error.problems : [];
      set({ refused: problems });
      const unplaced = problems.filter((p: Problem) => !placed(p));
      if (problems.length === 0) report(error);
      else if (unplaced.length > 0) notify(unplaced.map((p) => p.message).join(" "));
    } finally {
      set({ starting: without(get().starting, mark) });
    }
  }
  /** One run, or all of this project; those of other projects are stopped in the queue. */
  async function stop(run: string | null): Promise<void> {
    const mark = run ?? "*";
    set({ stopping: [...get().stopping, mark] });
    // News of the run may come all the while: only its own answer says that it was heard.
    const timer = setTimeout(() => notify(STOP_WAITS, "info"), STOP_WAITS_MS);
    const project_id = run === null ? get().projectId : null;
    await attempt(call("stop", { run, project_id }, STOP_LIMIT_MS));
    clearTimeout(timer);
    if (get().notice?.text === STOP_WAITS) set({ notice: null });
    set({ stopping: without(get().stopping, mark) });
  }

  return {
    train,
    stop,
    /** Several, the last one first, so that none begins while the others are stopped. */
    async stopAll(runs: string[]) {
      for (const run of [...runs].reverse()) await stop(run);
    },
    queueMove: (run: string, place: number) => attempt(call("queue_move", { run, place })),
    /** The runs of a sweep as nodes of their own, one step; their ids. */
    layOutSweep(id: string): string[] {
      const [laid, made] = layOut(doc(), id);
      edit(() => laid);
      if (doc() !== laid) return []; // it can only be read here
      for (const node of made) setOpen(node, false);
      // There is more to be seen than before, so it is fitted like a document that was opened.
      if (made.length > 0) set({ inspector: null, opened: get().opened + 1 });
      return made;
    },
    /** The settings of an old run in the node again, one step; no run is touched. */
    restoreRun(node: string, record: RunRecord) {
      const before = doc();
      edit((d) => restored(d, node, record));
      if (doc() === before) return;
      mended(node, Object.keys(DEFAULTS.finetune ?? {}));
      notify(
        "The settings of that run are in the node again. Undo brings the others back.",
        "info",
      );
    },
    /** Runs of a node that are older than those that travel with the state. */
    olderRuns: (node: string, before: string) => attempt(call("node_runs", { node, before })),
    stopNode(id: string) {
      const run = latest(get().traits.runs.items, id);
      if (run && isActive(run)) void stop(run.id);
    },
    async fix(problem: Problem) {
      const { fix } = problem;
      if (!fix) return;
      if (fix.set) {
        const changes = fix.set;
        edit((d) => graph.applyFix(d, changes));
        for (const change of changes) mended(change.node, [change.field]);
      }
      if (fix.command === "train") await train((fix.params?.node as string) ?? problem.node);
      else if (fix.command === "decide") {
        // What needs the user's word is asked where there is room to say what it means.
        const asked = (get().place?.asked ?? 0) + 1;
        set({ inspector: problem.node, place: { part: "code", asked } });
      } else if (fix.command) await attempt(call(fix.command as "settings", fix.params ?? {}));
    },
    measure: (node: string) => attempt(atRev((rev) => call("fit_check", { node, rev }))),
    async resume(run: string) {
      if (get().resuming.includes(run)) return;
      set({ resuming: [...get().resuming, run], notice: null });
      await attempt(call("resume", { run }));
      set({ resuming: without(get().resuming, run) });
    },
    /** Code of a node as a file in the browser's downloads; it stays here to be copied. */
    async exportNode(node: string, to: "script" | "notebook") {
      notify(`Writing the ${to}: it is tried on the data first.`, "info");
      const made = await attempt(
        atRev((rev) =>
          again(
            () => call("export", { node, to, rev }),
            (answer) => answer.writing,
          ),
        ),
      );
      if (!made) return;
      set({ exported: { ...made, node } });
      download(made.name, made.text);
      notify(`${made.name} is in the downloads of your browser.`, "info");
    },
    async loadDetails(run: string) {
      try {
        const details = await call("run_details", { run });
        set({ details: { ...get().details, [run]: details } });
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        set({ details: { ...get().details, [run]: { text, tone: "err" } } });
      }
    },
  };
}
