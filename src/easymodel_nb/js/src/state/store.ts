/**
 * The state of one studio in this page, shared by all its views.
 *
 * Two zones. `traits` is Python's: python-sync.ts alone writes it. Everything else is
 * the view's own and never travels, but for the document, which the committer sends.
 */
import { createStore, type StoreApi } from "zustand/vanilla";
import type { CommitView } from "../logic/commit";
import * as history from "../logic/history";
import type { Preference } from "../logic/theme";
import type { UploadView } from "../logic/upload";
import type { ExportResult, Problem, RunDetails, Traits, Workflow } from "../protocol";
import { load } from "./browser";

export type Tab = "canvas" | "analytics";
export type Part = "audit" | "advanced" | "sweep" | "runs" | "code";
export interface NoticeAction {
  label: string;
  testid: string;
  act: () => void;
}
export interface Notice {
  text: string;
  tone: "err" | "info";
  /** What can be done about it, once. */
  action?: NoticeAction;
}

export interface State {
  // ---- Python's ----
  traits: Traits;
  // ---- the working copy ----
  projectId: string;
  history: history.History;
  /** Those of the projects that were open before, the last one last. */
  histories: Record<string, history.History>;
  commit: CommitView;
  /** Counts the documents that were opened, so that the canvas fits each once. */
  opened: number;
  // ---- the view's own ----
  /** The project that was chosen and is on its way, so that its row answers at once. */
  opening: string | null;
  lostSince: number | null;
  heardAt: number;
  tab: Tab;
  theme: Preference;
  height: number;
  /** The sidebar as a rail: chosen, or null for "as the width asks". */
  rail: boolean | null;
  /** Nodes opened or closed by the user, by project and node. */
  open: Record<string, boolean>;
  /** Finetuning nodes with a run whose fields are shown all the same. */
  unfolded: Record<string, boolean>;
  inspector: string | null;
  /** Where the inspector is to be read: a part of it, asked for so many times. */
  place: { part: Part; asked: number } | null;
  /** The advanced fields of the inspector, unfolded. */
  advanced: boolean;
  /** Code that was made of a node, to be copied where a download cannot be. */
  exported: (ExportResult & { node: string }) | null;
  /** Runs whose resume command is under way. */
  resuming: string[];
  /** Problems of a refused command, until the document changes where they point. */
  refused: Problem[];
  /** Failed runs whose named field was edited since: their problem no longer stands there. */
  mended: string[];
  /** Theme changes that Python has not confirmed. */
  themePending: number;
  /** Nodes whose train command is under way, and "*" for all of them. */
  starting: string[];
  stopping: string[];
  notice: Notice | null;
  details: Record<string, RunDetails | Notice>;
  /** Files on their way to the kernel, by project and node. */
  uploads: Record<string, UploadView>;
}

export type Store = StoreApi<State>;

export const EMPTY: Workflow = {
  format: "easymodel.workflow",
  version: 1,
  name: "",
  nodes: [],
  edges: [],
  viewport: { x: 0, y: 0, zoom: 1 },
};

export function makeStore(traits: Traits): Store {
  return createStore<State>(() => ({
    traits,
    projectId: "",
    history: history.start(EMPTY),
    histories: {},
    commit: {
      unsaved: 0,
      unchecked: false,
      saving: false,
      conflict: null,
      failure: null,
      offer: null,
    },
    opened: 0,
    opening: null,
    lostSince: null,
    heardAt: Date.now(),
    tab: "canvas",
    theme: traits.catalog.theme,
    height: storedHeight(traits.catalog.height),
    rail: load<boolean>("rail"),
    open: load<Record<string, boolean>>("open") ?? {},
    unfolded: {},
    inspector: null,
    place: null,
    advanced: false,
    exported: null,
    resuming: [],
    refused: [],
    mended: [],
    themePending: 0,
    starting: [],
    stopping: [],
    notice: null,
    details: {},
    uploads: {},
  }));
}

/** The height dragged to in this browser, as long as the notebook asks for the same as then. */
function storedHeight(asked: number): number {
  const stored = load<{ asked: number; height: number }>("height");
  return clampHeight(stored?.asked === asked ? stored.height : asked);
}

export const clampHeight = (height: number) => Math.min(1200, Math.max(420, Math.round(height)));
