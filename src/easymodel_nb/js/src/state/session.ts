/** One studio in this page: its state, what can be done, and how a component gets at both. */
import { createContext, useContext } from "react";
import { useStore } from "zustand";
import type { Model } from "../types";
import { type Actions, makeActions } from "./actions";
import { connectPython, type Sync } from "./python-sync";
import type { State } from "./store";

export interface Session extends Sync {
  actions: Actions;
}

export function openSession(model: Model): Session {
  const sync = connectPython(model);
  return { ...sync, actions: makeActions(sync) };
}

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("This component belongs inside the workbench.");
  return session;
}

/** A part of the state; the component renders again only when that part changes. */
export function useStudio<T>(select: (state: State) => T): T {
  return useStore(useSession().store, select);
}

export const useActions = (): Actions => useSession().actions;
