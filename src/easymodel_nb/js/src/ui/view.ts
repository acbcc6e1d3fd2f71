/** What differs between two views of one studio: where it stands, its width, its theme. */
import { createContext, useContext } from "react";
import { useStore } from "zustand";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Theme } from "../logic/theme";

export interface ViewState {
  theme: Theme;
  /** Of the whole studio, dashboard included. */
  width: number;
  full: boolean;
  /** The list of the graph stands beside the canvas. */
  outline: boolean;
}
export interface View {
  store: StoreApi<ViewState>;
  el: HTMLElement;
  /** The studio's box, or `el` where the workbench stands alone. */
  frame: () => HTMLElement;
}

export const NARROW = 860;

export const makeViewStore = (): StoreApi<ViewState> =>
  createStore<ViewState>(() => ({ theme: "light", width: 1000, full: false, outline: false }));

export const ViewContext = createContext<View | null>(null);

export function useView(): View {
  const view = useContext(ViewContext);
  if (!view) throw new Error("This component belongs inside the workbench.");
  return view;
}

export function useViewState<T>(select: (state: ViewState) => T): T {
  return useStore(useView().store, select);
}
