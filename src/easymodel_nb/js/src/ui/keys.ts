/**
 * Keeps the notebook's shortcuts away from the studio, and ours inside it.
 *
 * The guard sits on anywidget's element, in the bubble phase, after React's own
 * listeners: React Flow sees every key, the notebook none. JupyterLab's shortcuts
 * match the focused element first, so that element too is marked.
 */

/** React Flow reads these on window. */
const PASS = new Set(["Shift", "Control", "Meta", "Alt"]);

export interface KeyHandlers {
  remove: (target: HTMLElement) => void;
  undo: () => void;
  redo: () => void;
  selectAll: () => void;
}

const editable = (target: HTMLElement) =>
  target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
const pressable = (target: HTMLElement) =>
  target.closest("button, a, summary, [role=option], [role=menuitem]") !== null;

function act(event: KeyboardEvent, handlers: KeyHandlers): void {
  const target = event.target as HTMLElement;
  const chord = event.ctrlKey || event.metaKey;
  const key = event.key.toLowerCase();
  if (chord && key === "s") event.preventDefault(); // every edit is saved already
  if (editable(target)) return;
  if (event.key === "Delete" || event.key === "Backspace") {
    if (!pressable(target)) handlers.remove(target);
  } else if (chord && key === "z") {
    if (event.shiftKey) handlers.redo();
    else handlers.undo();
  } else if (chord && key === "y") {
    handlers.redo();
  } else if (chord && key === "a") {
    handlers.selectAll();
  } else if (event.key === " " && !pressable(target)) {
    event.preventDefault(); // the notebook would scroll
    return;
  } else {
    return;
  }
  event.preventDefault();
}

export function guardKeys(el: HTMLElement, handlers: () => KeyHandlers | null): () => void {
  const onKey = (event: KeyboardEvent) => {
    const current = handlers();
    if (event.type === "keydown" && current) act(event, current);
    if (!PASS.has(event.key)) event.stopPropagation();
  };
  const onFocus = (event: FocusEvent) => {
    (event.target as Element).setAttribute("data-lm-suppress-shortcuts", "true");
  };
  el.addEventListener("keydown", onKey);
  el.addEventListener("keyup", onKey);
  el.addEventListener("focusin", onFocus);
  return () => {
    el.removeEventListener("keydown", onKey);
    el.removeEventListener("keyup", onKey);
    el.removeEventListener("focusin", onFocus);
  };
}
