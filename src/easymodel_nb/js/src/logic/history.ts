/** Undo and redo: snapshots of the document at semantic changes, at most 50. */
import type { Workflow } from "../protocol";

const LIMIT = 50;
const TYPING_MS = 1000;

export interface History {
  past: Workflow[];
  present: Workflow;
  future: Workflow[];
  /** What the last change was about; typing in one field is one step. */
  key: string | null;
  at: number;
}

export function start(present: Workflow): History {
  return { past: [], present, future: [], key: null, at: 0 };
}

export function push(h: History, next: Workflow, key: string | null, now: number): History {
  if (next === h.present) return h;
  const goesOn = key !== null && key === h.key && now - h.at < TYPING_MS && h.past.length > 0;
  const past = goesOn ? h.past : [...h.past, h.present].slice(-LIMIT);
  return { past, present: next, future: [], key, at: now };
}

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
