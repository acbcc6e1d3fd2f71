/**
 * Keeps the notebook's shortcuts and its clipboard away from the studio, and ours inside it.
 *
 * The guard sits on anywidget's element, in the bubble phase, after React's own
 * listeners: React Flow sees every key, the notebook none. JupyterLab's shortcuts
 * match the focused element first, so that element too is marked.
 */
import { type Command, shortcutOf } from "../logic/shortcuts";

/** React Flow reads these on window. */
const PASS = new Set(["Shift", "Control", "Meta", "Alt"]);

export interface KeyHandlers {
  /** Does it; false when it means nothing now, and the key stays the browser's. */
  run: (command: Command, target: HTMLElement) => boolean;
  clipboard: (event: ClipboardEvent) => void;
}

export const editable = (target: HTMLElement) =>
  target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
const pressable = (target: HTMLElement) =>
  target.closest("button, a, summary, [role=option], [role=menuitem], [role=button]") !== null;
/** What a key on a button is not: the arrows of a menu, letters, Delete. */
const EVERYWHERE = new Set<Command>(["search", "help", "menu", "rename", "outline"]);

export function act(event: KeyboardEvent, handlers: KeyHandlers): void {
  const target = event.target as HTMLElement;
  const chord = event.ctrlKey || event.metaKey;
  if (chord && event.key.toLowerCase() === "s") event.preventDefault(); // every edit is saved already
  if (editable(target) || event.defaultPrevented) return;
  const shortcut = shortcutOf(event);
  const within = target.closest(".em-canvas") !== null;
  const bare = !chord && pressable(target);
  const ours =
    shortcut &&
    (within || shortcut.where === "studio") &&
    (!bare || EVERYWHERE.has(shortcut.command));
  if (ours ? handlers.run(shortcut.command, target) : event.key === " " && !pressable(target))
    event.preventDefault(); // the notebook would scroll, or the browser do its own
}

export function guardKeys(el: HTMLElement, handlers: () => KeyHandlers | null): () => void {
  const onKey = (event: KeyboardEvent) => {
    const current = handlers();
    if (event.type === "keydown" && current) act(event, current);
    if (!PASS.has(event.key)) event.stopPropagation();
  };
  const onClipboard = (event: ClipboardEvent) => {
    handlers()?.clipboard(event);
    event.stopPropagation();
  };
  const onFocus = (event: FocusEvent) => {
    (event.target as Element).setAttribute("data-lm-suppress-shortcuts", "true");
  };
  el.addEventListener("keydown", onKey);
  el.addEventListener("keyup", onKey);
  el.addEventListener("focusin", onFocus);
  for (const type of CLIPBOARD) el.addEventListener(type, onClipboard);
  return () => {
    el.removeEventListener("keydown", onKey);
    el.removeEventListener("keyup", onKey);
    el.removeEventListener("focusin", onFocus);
    for (const type of CLIPBOARD) el.removeEventListener(type, onClipboard);
  };
}

const CLIPBOARD = ["copy", "cut", "paste"] as const;
