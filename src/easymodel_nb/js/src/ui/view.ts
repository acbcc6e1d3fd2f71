/** What differs between two views of one studio: where it stands, its width, its theme. */
import { createContext, useContext } from "react";
import { useStore } from "zustand";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { HandleEnd } from "../logic/edits";
import type { Theme } from "../logic/theme";
import type { Position } from "../protocol";
import { load } from "../state/browser";

/** What lies over the canvas; `at` is a point of the page, `free` when nobody pointed at it. */
export type Popup =
  | { kind: "menu"; at: Position; nodes: string[]; edges: string[] }
  /** With `from`: what fits one of these ports, and with `existing` also ports that are there. */
  | {
      kind: "search";
      at: Position;
      free: boolean;
      from: HandleEnd[];
      existing: boolean;
      /** The edge that is to end elsewhere: `from` are its ends. */
      edge?: string;
    }
  | { kind: "shortcuts" };

export interface ViewState {
  theme: Theme;
  /** Of the whole studio, dashboard included. */
  width: number;
  full: boolean;
  /** The list of the graph stands beside the canvas. */
  outline: boolean;
  popup: Popup | null;
  /** Why a connection was refused, said where it was let go. */
  refusal: { text: string; at: Position } | null;
  /** While a connection is drawn: the ports where it can end (fits.portKey). */
  fits: ReadonlySet<string> | null;
  /** What dragging the pane does. */
  tool: "hand" | "select";
  snap: boolean;
  /** Whether nodes are large enough to be drawn open. */
  near: boolean;
  /** The node whose name is being edited. */
  renaming: string | null;
  /** What was copied last, for browsers that keep the clipboard from us. */
  clip: string;
}
export interface View {
  store: StoreApi<ViewState>;
  el: HTMLElement;
  /** The studio's box, or `el` where the workbench stands alone. */
  frame: () => HTMLElement;
  /** Where the pointer is, while it is over the canvas. */
  pointer: Position | null;
  /** What had the focus before a popup opened. */
  before: HTMLElement | null;
}

export const NARROW = 860;

export const makeViewStore = (): StoreApi<ViewState> =>
  createStore<ViewState>(() => ({
    theme: "light",
    width: 1000,
    full: false,
    outline: false,
    popup: null,
    refusal: null,
    fits: null,
    tool: load<boolean>("select") ? "select" : "hand",
    snap: load<boolean>("snap") ?? false,
    near: true,
    renaming: null,
    clip: "",
  }));

export const ViewContext = createContext<View | null>(null);

export function useView(): View {
  const view = useContext(ViewContext);
  if (!view) throw new Error("This component belongs inside the workbench.");
  return view;
}

export function useViewState<T>(select: (state: ViewState) => T): T {
  return useStore(useView().store, select);
}
