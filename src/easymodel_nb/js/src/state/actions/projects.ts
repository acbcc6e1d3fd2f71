/** Projects: opened, made, renamed, deleted. */
import type { Desk } from "./desk";

export function projectActions(desk: Desk) {
  const { call, committer, attempt } = desk;
  /** The working copy belongs to one project: it is saved before another one is opened. */
  async function leave<T>(open: () => Promise<T>): Promise<T | undefined> {
    return attempt(committer.flush().then(open));
  }
  return {
    projectNew: (template: string | null = null) => leave(() => call("project_new", { template })),
    projectSwitch: (project_id: string) => leave(() => call("project_switch", { project_id })),
    projectDuplicate: (project_id: string) =>
      leave(() => call("project_duplicate", { project_id })),
    projectDelete: (project_id: string) => leave(() => call("project_delete", { project_id })),
    projectRename: (project_id: string, name: string) =>
      leave(() => call("project_rename", { project_id, name })),
  };
}
