/** What the user can do. Edits change the working copy; commands go to Python. */

import { again } from "../logic/again";
import { accepted, toggled } from "../logic/audit";
import * as graph from "../logic/graph";
import * as history from "../logic/history";
import { type Link, refusal } from "../logic/ports";
import { setRole } from "../logic/roles";
import { Failure } from "../logic/rpc";
import { isActive, latest } from "../logic/runs";
import { next, type Preference } from "../logic/theme";
import type { Position, Problem, SourceOption, Workflow } from "../protocol";
import { download, save } from "./browser";
import type { Sync } from "./python-sync";
import { clampHeight, type Notice, type Part, type State, type Tab } from "./store";
import { makeUploads } from "./uploads";

export type Actions = ReturnType<typeof makeActions>;

const LOOK_MS = 2_000;

export function makeActions(sync: Sync) {
  const { store, committer, call } = sync;
  const get = store.getState;
  const set = (part: Partial<State>) => store.setState(part);
  const doc = () => get().history.present;

  /** One semantic change; `key` joins the changes of one field while it is being typed. */
  function edit(change: (doc: Workflow) => Workflow, key: string | null = null): void {
    const changed = change(doc());
    if (changed === doc()) return;
    set({ history: history.push(get().history, changed, key, Date.now()) });
    committer.edit(changed);
    sync.touch();
  }
  function travel(step: (h: history.History) => history.History): void {
    const moved = step(get().history);
    if (moved === get().history) return;
    set({ history: moved });
    committer.edit(moved.present);
  }
  const notify = (text: string, tone: Notice["tone"] = "err") => set({ notice: { text, tone } });
  const report = (error: unknown) => notify(error instanceof Error ? error.message : String(error));
  /** Runs a command and shows its failure as a sentence. */
  async function attempt<T>(work: Promise<T>): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      report(error);
      return undefined;
    }
  }
  const without = (list: string[], item: string) => list.filter((i) => i !== item);
  /** A refused problem is gone when the field it names is edited. */
  function mended(node: string, fields: string[]): void {
    const about = (p: Problem | null) =>
      p?.node === node && (p.field === null || fields.includes(p.field));
    const { refused, traits } = get();
    const failed = traits.runs.items.filter((r) => r.problem?.field && about(r.problem));
    set({
      refused: refused.filter((p) => !about(p)),
      mended: [...new Set([...get().mended, ...failed.map((r) => r.id)])],
    });
  }

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
  /** `stale` means that Python has not got our revision: it is committed and asked once more. */
  async function atRev<T>(work: (rev: number) => Promise<T>, tries = 2): Promise<T> {
    const rev = await committer.flush();
    try {
      return await work(rev);
    } catch (error) {
      const stale = error instanceof Failure && error.code === "stale";
      if (!stale || tries <= 1) throw error;
      await sync.pull();
      if (committer.rev === rev && !committer.dirty) committer.edit(doc());
      return await atRev(work, tries - 1);
    }
  }
  const placed = (p: Problem) => p.node !== null && doc().nodes.some((n) => n.id === p.node);
  const setUnfolded = (id: string, unfolded: boolean) =>
    set({ unfolded: { ...get().unfolded, [id]: unfolded } });

  function setOpen(id: string, open: boolean): void {
    const all = { ...get().open, [openKey(get(), id)]: open };
    set({ open: all });
    save("open", all);
  }

  /** The working copy belongs to one project: it is saved before another one is opened. */
  async function leave<T>(open: () => Promise<T>): Promise<T | undefined> {
    return attempt(committer.flush().then(open));
  }

  const setField = (id: string, patch: Record<string, unknown>, typing = false) => {
    const fields = Object.keys(patch);
    edit((d) => graph.setData(d, id, patch), typing ? `${id}.${fields.join()}` : null);
    mended(id, fields);
  };
  const uploads = makeUploads(sync, (node, source) => setField(node, { source }));
  let lookedAt = 0;
  let look: ReturnType<typeof setTimeout> | null = null;

  return {
    edit,
    undo: () => travel(history.undo),
    redo: () => travel(history.redo),
    setField,
    setRole(id: string, field: string, value: string | null) {
      const node = doc().nodes.find((n) => n.id === id);
      if (!node) return;
      const source = graph.inputOf(doc(), id, "dataset");
      const roles = (source && get().traits.catalog.facts[source.id]?.roles) ?? {};
      const patch = setRole(node, field, value, roles);
      edit((d) => graph.setData(d, id, patch), `${id}.${field}`);
      mended(id, Object.keys(patch));
    },
    setLabel: (id: string, label: string) => edit((d) => graph.setLabel(d, id, label)),
    move: (positions: Map<string, Position>) => edit((d) => graph.move(d, positions)),
    connect(link: Link) {
      const why = refusal(doc(), link);
      if (why) notify(why, "info");
      else edit((d) => graph.connect(d, link));
      mended(link.target, [link.targetHandle ?? ""]);
    },
    remove(nodes: Set<string>, edges: Set<string>) {
      edit((d) => graph.remove(d, nodes, edges));
      const { inspector } = get();
      if (inspector && nodes.has(inspector)) set({ inspector: null });
    },
    add(type: string, at: Position): string {
      const node = graph.makeNode(type, { x: Math.round(at.x), y: Math.round(at.y) });
      setOpen(node.id, true);
      edit((d) => graph.addNode(d, node));
      return node.id;
    },
    /** A Dataset node for a file that was dropped; it feeds the one Finetuning node without data. */
    addFile(file: File, at: Position): string {
      const place = { x: Math.round(at.x), y: Math.round(at.y) };
      const node = { ...graph.makeNode("dataset", place), label: file.name };
      setOpen(node.id, true);
      edit((d) => graph.feedLonely(graph.addNode(d, node), node.id));
      uploads.start(node.id, file);
      return node.id;
    },
    upload: uploads.start,
    retryUpload: uploads.retry,
    cancelUpload: uploads.cancel,
    /** Asks the kernel which variables hold data: at once, and then at most every other second. */
    lookAtVariables() {
      sync.touch();
      if (look) return;
      const wait = Math.max(0, lookedAt + LOOK_MS - Date.now());
      look = setTimeout(() => {
        look = null;
        lookedAt = Date.now();
        call("variables", {}).catch(() => {}); // the list of the last look stands
      }, wait);
    },
    addThree() {
      const { models, datasets } = get().traits.catalog;
      // A new Finetuning node writes text, so both are of that kind.
      const first = (options: SourceOption[]) =>
        (options.find((o) => o.tasks.includes("generation")) ?? options[0])?.source ?? "";
      edit((d) => graph.addThree(d, first(models), first(datasets)));
      set({ opened: get().opened + 1 }); // as large as a document that was opened, so fitted like one
    },
    duplicate: (id: string) => edit((d) => graph.duplicate(d, id)[0]),
    /** The viewport is kept with the document, but moving it is no edit. */
    viewport: (viewport: Workflow["viewport"]) =>
      set({ history: history.amend(get().history, { ...doc(), viewport }) }),
    async fix(problem: Problem) {
      const { fix } = problem;
      if (!fix) return;
      if (fix.set) {
        const changes = fix.set;
        edit((d) => graph.applyFix(d, changes));
        for (const change of changes) mended(change.node, [change.field]);
      }
      if (fix.command === "train") await train((fix.params?.node as string) ?? problem.node);
      else if (fix.command) await attempt(call(fix.command as "settings", fix.params ?? {}));
    },
    train,
    async stop(run: string | null) {
      const mark = run ?? "*";
      set({ stopping: [...get().stopping, mark] });
      await attempt(call("stop", { run }));
      set({ stopping: without(get().stopping, mark) });
    },
    resolve: (choice: "mine" | "theirs") => committer.resolve(choice),
    retry() {
      sync.touch();
      void sync.pull();
      committer.retry();
    },
    projectNew: (template: string | null = null) => leave(() => call("project_new", { template })),
    projectSwitch: (project_id: string) => leave(() => call("project_switch", { project_id })),
    projectDuplicate: (project_id: string) =>
      leave(() => call("project_duplicate", { project_id })),
    projectDelete: (project_id: string) => leave(() => call("project_delete", { project_id })),
    projectRename: (project_id: string, name: string) =>
      leave(() => call("project_rename", { project_id, name })),
    setTheme(theme: Preference) {
      const pending = (by: number) => get().themePending + by;
      set({ theme, themePending: pending(1) });
      // It holds in this page whether or not the kernel hears of it.
      call("settings", { theme })
        .catch(() => {})
        .finally(() => set({ themePending: pending(-1) }));
    },
    cycleTheme() {
      this.setTheme(next(get().theme));
    },
    /** The token leaves in this one message and is kept nowhere here. */
    sendToken: (token: string) => attempt(call("token", { token })),
    showTab(tab: Tab, run?: string) {
      set({ tab });
      if (run) void attempt(call("show_run", { run }));
    },
    setHeight(height: number) {
      const clamped = clampHeight(height);
      set({ height: clamped });
      save("height", { asked: get().traits.catalog.height, height: clamped });
    },
    setRail(rail: boolean) {
      set({ rail });
      save("rail", rail);
    },
    setOpen,
    setUnfolded,
    inspect(id: string | null, part?: Part) {
      const asked = (get().place?.asked ?? 0) + 1;
      set({ inspector: id, place: part ? { part, asked } : null });
      if (part === "advanced") set({ advanced: true });
    },
    setAdvanced: (advanced: boolean) => set({ advanced }),
    /** Takes a warning of the gate on, or takes that back. */
    accept(id: string, code: string) {
      const node = doc().nodes.find((n) => n.id === id);
      if (node) setField(id, { accept: toggled(accepted(node), code) });
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
    dismiss: () => set({ notice: null }),
    say: (text: string) => notify(text),
    async loadDetails(run: string) {
      try {
        const details = await call("run_details", { run });
        set({ details: { ...get().details, [run]: details } });
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        set({ details: { ...get().details, [run]: { text, tone: "err" } } });
      }
    },
    stopNode(id: string) {
      const run = latest(get().traits.runs.items, id);
      if (run && isActive(run)) void this.stop(run.id);
    },
    touch: sync.touch,
  };
}

export const openKey = (state: State, id: string) => `${state.projectId}/${id}`;

/**
 * Whether a node stands open: as the user left it; else sources are open, and a
 * Finetuning node is open when it is the only one or has a run to show.
 */
export function isOpen(state: State, id: string): boolean {
  const chosen = state.open[openKey(state, id)];
  if (chosen !== undefined) return chosen;
  const { nodes } = state.history.present;
  const node = nodes.find((n) => n.id === id);
  if (node?.type !== "finetune") return true;
  const only = nodes.filter((n) => n.type === "finetune").length === 1;
  return only || latest(state.traits.runs.items, id) !== undefined;
}
