/**
 * Undo and redo: snapshots of the document at semantic changes, at most 200. They share
 * what did not change, so a step costs what it changed.
 */
import type { Workflow } from "../protocol";
import { same } from "./graph";

export const LIMIT = 200;

export interface History {
  past: Workflow[];
  present: Workflow;
  future: Workflow[];
  /** What the last step is about while it can still grow: typing in one field is one step. */
  key: string | null;
  at: number;
}

/** A change with a key joins the step of that key, if it comes within `within` milliseconds. */
export interface Key {
  key: string | null;
  now: number;
  within?: number;
}

export function start(present: Workflow): History {
  return { past: [], present, future: [], key: null, at: 0 };
}

export function push(h: History, next: Workflow, { key, now, within }: Key): History {
  if (next === h.present) return h;
  const goesOn =
    key !== null && key === h.key && now - h.at <= (within ?? Number.POSITIVE_INFINITY);
  const before = h.past.at(-1);
  if (!goesOn || !before) {
    return { past: [...h.past, h.present].slice(-LIMIT), present: next, future: [], key, at: now };
  }
  // Typed and deleted again: nothing is left that undo could bring back.
  if (same(before, next)) return { ...h, past: h.past.slice(0, -1), present: next, key: null };
  return { ...h, present: next, future: [], at: now };
}

/** The last step is done: what comes next is a step of its own. */
export const close = (h: History): History => (h.key === null ? h : { ...h, key: null });

export function undo(h: History): History {
  const present = h.past.at(-1);
  if (!present) return h;
  const future = [h.present, ...h.future];
  return { past: h.past.slice(0, -1), present, future, key: null, at: 0 };
}

export function redo(h: History): History {
  const present = h.future[0];
  if (!present) return h;
  const past = [...h.past, h.present];
  return { past, present, future: h.future.slice(1), key: null, at: 0 };
}

/** The same history with a present that is not a step of its own (the viewport). */
export function amend(h: History, present: Workflow): History {
  return { ...h, present };
}
