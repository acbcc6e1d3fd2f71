/** What every action works with: the store, one way to change the document, one to ask Python. */
import * as history from "../../logic/history";
import { Failure } from "../../logic/rpc";
import type { Problem, Workflow } from "../../protocol";
import { save } from "../browser";
import type { Sync } from "../python-sync";
import type { Notice, State } from "../store";

export type Desk = ReturnType<typeof makeDesk>;

export function makeDesk(sync: Sync) {
  const { store, committer, call } = sync;
  const get = store.getState;
  const set = (part: Partial<State>) => store.setState(part);
  const doc = () => get().history.present;
  const notify = (text: string, tone: Notice["tone"] = "err") => set({ notice: { text, tone } });
  const report = (error: unknown) => notify(error instanceof Error ? error.message : String(error));

  /** Another notebook has this project: nothing here changes it until it is taken over. */
  function held(): boolean {
    if (!get().traits.document.held) return false;
    notify("This project is open in another notebook; take over to edit here.", "info");
    return true;
  }
  /**
   * One semantic change, one step of undo. Changes of the same key grow one step until
   * `closeStep`, or for as long as no more than `within` milliseconds lie between them.
   */
  function edit(
    change: (doc: Workflow) => Workflow,
    key: string | null = null,
    within?: number,
  ): void {
    const changed = change(doc());
    if (changed === doc() || held()) return;
    const next = history.push(get().history, changed, { key, now: Date.now(), within });
    set({ history: next });
    committer.edit(changed);
    sync.touch();
  }
  function travel(step: (h: history.History) => history.History): void {
    const moved = step(get().history);
    if (moved === get().history || held()) return;
    // Where one looks is no edit, so going back leaves it alone.
    const present = { ...moved.present, viewport: doc().viewport };
    set({ history: { ...moved, present } });
    committer.edit(present);
    sync.touch();
  }
  /** The focus left a field: what is typed there next is a step of its own. */
  function closeStep(): void {
    const closed = history.close(get().history);
    if (closed !== get().history) set({ history: closed });
  }
  /** Runs a command and shows its failure as a sentence. */
  async function attempt<T>(work: Promise<T>): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      report(error);
      return undefined;
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
  function setOpen(id: string, open: boolean): void {
    const all = { ...get().open, [openKey(get(), id)]: open };
    set({ open: all });
    save("open", all);
  }
  const setUnfolded = (id: string, unfolded: boolean) =>
    set({ unfolded: { ...get().unfolded, [id]: unfolded } });

  return {
    sync,
    call,
    committer,
    get,
    set,
    doc,
    notify,
    report,
    held,
    edit,
    travel,
    closeStep,
    attempt,
    atRev,
    mended,
    setOpen,
    setUnfolded,
  };
}

export const openKey = (state: State, id: string) => `${state.projectId}/${id}`;

export const without = (list: string[], item: string) => list.filter((i) => i !== item);
