/** Projects: opened, made, renamed, laid in order, deleted and restored, as files. */
import { refused } from "../../logic/project-list";
import { download } from "../browser";
import type { NoticeAction } from "../store";
import type { Desk } from "./desk";

export function projectActions(desk: Desk) {
  const { call, committer, get, set, notify, attempt } = desk;

  /** Another project is opened: at once, because the edits of this one go on being saved. */
  async function go<T>(work: () => Promise<T>, opening: string | null = null) {
    committer.flush().catch(() => {}); // sent first; what fails stays with its own project
    set({ opening });
    const done = await attempt(work());
    if (get().opening === opening) set({ opening: null });
    return done;
  }
  /** What is read from the disk has to be there first. */
  async function saved<T>(projectId: string, work: () => Promise<T>): Promise<T | undefined> {
    const needed = projectId === get().projectId && !get().traits.document.held;
    return attempt(needed ? committer.flush().then(work) : work());
  }
  const offer = (text: string, action: NoticeAction) =>
    set({ notice: { text, tone: "info", action } });

  async function restore(project_id: string, open = false): Promise<void> {
    const back = await attempt(call("project_restore", { project_id }).then(() => true));
    if (back && open) await go(() => call("project_switch", { project_id }), project_id);
  }
  async function exportProject(project_id: string, paths = false): Promise<void> {
    const file = await saved(project_id, () => call("project_export", { project_id, paths }));
    if (!file) return;
    download(file.name, file.text);
    const text = `${file.name} is in the downloads of your browser.`;
    if (file.left_out.length === 0) return notify(text, "info");
    const without = `${text} Left out: ${file.left_out.join(", ")}.`;
    if (!file.left_out.some((what) => what.startsWith("the path"))) return notify(without, "info");
    offer(without, {
      label: "Export with paths",
      testid: "export-paths",
      act: () => void exportProject(project_id, true),
    });
  }
  async function importFile(file: File): Promise<void> {
    const why = refused(file);
    if (why) return notify(why);
    const made = await go(async () => call("project_import", { text: await file.text() }));
    if (!made) return;
    const name = get().traits.projects.items.find((p) => p.id === made.project_id)?.name;
    const done = name ? `Imported as ${name}.` : "Imported.";
    const again = made.missing.length > 0 ? ` Choose again: ${made.missing.join(", ")}.` : "";
    notify(done + again, "info");
  }

  return {
    projectNew: (template: string | null = null) => go(() => call("project_new", { template })),
    projectSwitch: (project_id: string) =>
      go(() => call("project_switch", { project_id }), project_id),
    projectDuplicate: (project_id: string) =>
      saved(project_id, () => call("project_duplicate", { project_id })),
    projectRename: (project_id: string, name: string) =>
      attempt(call("project_rename", { project_id, name })),
    projectMove: (project_id: string, before: string | null) =>
      attempt(call("project_move", { project_id, before })),
    async projectDelete(project_id: string) {
      const item = get().traits.projects.items.find((p) => p.id === project_id);
      const wasOpen = get().projectId === project_id;
      const gone = await saved(project_id, () => call("project_delete", { project_id }));
      if (!gone) return;
      offer(`${item?.name ?? "The project"} is in the trash.`, {
        label: "Undo",
        testid: "notice-undo",
        act: () => void restore(project_id, wasOpen),
      });
    },
    projectRestore: (project_id: string) => restore(project_id),
    emptyTrash: (project_ids: string[] | null = null) =>
      attempt(call("trash_empty", { project_ids })),
    /** Theirs is the project from now on; ours stands beside it, under its name with a number. */
    async keepCopy() {
      const text = JSON.stringify(desk.doc());
      const made = await attempt(call("project_import", { text, open: false }));
      if (!made || desk.held()) return;
      committer.resolve("theirs");
      const name = get().traits.projects.items.find((p) => p.id === made.project_id)?.name;
      offer(`Your version is kept as ${name ?? "a project of its own"}.`, {
        label: "Open it",
        testid: "open-copy",
        act: () =>
          void go(() => call("project_switch", { project_id: made.project_id }), made.project_id),
      });
    },
    projectExport: (project_id: string) => exportProject(project_id),
    projectImport: importFile,
    mirrorSave: () => attempt(call("mirror_save", {})),
    mirrorCheckpoints: (run: string, agreed: boolean) =>
      attempt(call("mirror_checkpoints", { run, agreed })),
    takeOver: () => attempt(call("project_take", { project_id: get().projectId })),
  };
}
