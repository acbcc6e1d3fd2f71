/** What the user can do. Edits change the working copy; commands go to Python. */
import { countOf, nodeOf } from "../../logic/lookup";
import { latest } from "../../logic/runs";
import type { Sync } from "../python-sync";
import type { State } from "../store";
import { makeDesk, openKey } from "./desk";
import { editingActions } from "./editing";
import { lookingActions } from "./looking";
import { projectActions } from "./projects";
import { trainingActions } from "./training";

export type Actions = ReturnType<typeof makeActions>;

export function makeActions(sync: Sync) {
  const desk = makeDesk(sync);
  return {
    ...editingActions(desk),
    ...trainingActions(desk),
    ...projectActions(desk),
    ...lookingActions(desk),
  };
}

/**
 * Whether a node stands open: as the user left it; else sources are open, and a
 * Finetuning node is open when it is the only one or has a run to show.
 */
export function isOpen(state: State, id: string): boolean {
  const chosen = state.open[openKey(state, id)];
  if (chosen !== undefined) return chosen;
  const doc = state.history.present;
  if (nodeOf(doc, id)?.type !== "finetune") return true;
  return countOf(doc, "finetune") === 1 || latest(state.traits.runs.items, id) !== undefined;
}
