/** One table of shortcuts: the key handler, the menus' hints and the sheet on `?` read it. */

export type Command =
  | "undo"
  | "redo"
  | "copy"
  | "cut"
  | "paste"
  | "duplicate"
  | "remove"
  | "rename"
  | "details"
  | "fold"
  | "selectAll"
  | "deselect"
  | "left"
  | "right"
  | "up"
  | "down"
  | "farLeft"
  | "farRight"
  | "farUp"
  | "farDown"
  | "search"
  | "note"
  | "connect"
  | "menu"
  | "arrange"
  | "snap"
  | "tool"
  | "showAll"
  | "zoomIn"
  | "zoomOut"
  | "zoomReset"
  | "full"
  | "outline"
  | "problem"
  | "help";

export type Group = "Editing" | "Adding and connecting" | "Selecting and moving" | "Looking";

export interface Shortcut {
  command: Command;
  /** "Mod+Shift+Z": Mod is Cmd on a Mac and Ctrl elsewhere. The first one is shown. */
  keys: string[];
  words: string;
  group: Group;
  /** Where the focus must be; a node's and the pane's keys mean something else in a list. */
  where: "studio" | "canvas";
  /** Not a line of its own in the sheet. */
  hidden?: true;
}

const line = (
  group: Group,
  command: Command,
  keys: string,
  words: string,
  where: Shortcut["where"] = "canvas",
): Shortcut => ({ command, keys: keys.split(" "), words, group, where });
const also = (command: Command, keys: string, words: string): Shortcut => ({
  ...line("Selecting and moving", command, keys, words),
  hidden: true,
});

export const SHORTCUTS: readonly Shortcut[] = [
  line("Editing", "undo", "Mod+Z", "Undo", "studio"),
  line("Editing", "redo", "Mod+Shift+Z Mod+Y", "Redo", "studio"),
  line("Editing", "copy", "Mod+C", "Copy"),
  line("Editing", "cut", "Mod+X", "Cut"),
  line("Editing", "paste", "Mod+V", "Paste nodes, or the address of a model or data"),
  line("Editing", "duplicate", "Mod+D", "Duplicate"),
  line("Editing", "remove", "Delete Backspace", "Delete"),
  line("Editing", "rename", "F2", "Rename"),
  line("Editing", "details", "I", "Details"),
  line("Editing", "fold", "O", "Open or close"),
  line("Editing", "menu", "Shift+F10 ContextMenu", "Menu of the focused item"),
  line("Adding and connecting", "search", "/", "Search and add", "studio"),
  line("Adding and connecting", "note", "N", "Add a note"),
  line("Adding and connecting", "connect", "C", "Connect"),
  line("Selecting and moving", "selectAll", "Mod+A", "Select all", "studio"),
  line("Selecting and moving", "deselect", "Escape", "Select nothing"),
  line("Selecting and moving", "tool", "V", "Dragging selects, or moves the view"),
  line("Selecting and moving", "left", "ArrowLeft", "Move, further with Shift"),
  also("right", "ArrowRight", "Move right"),
  also("up", "ArrowUp", "Move up"),
  also("down", "ArrowDown", "Move down"),
  also("farLeft", "Shift+ArrowLeft", "Move far left"),
  also("farRight", "Shift+ArrowRight", "Move far right"),
  also("farUp", "Shift+ArrowUp", "Move far up"),
  also("farDown", "Shift+ArrowDown", "Move far down"),
  line("Selecting and moving", "snap", "G", "Snap to the grid"),
  line("Selecting and moving", "arrange", "L", "Arrange the nodes"),
  line("Looking", "showAll", "F", "Show everything"),
  line("Looking", "zoomIn", "+ =", "Zoom in"),
  line("Looking", "zoomOut", "-", "Zoom out"),
  line("Looking", "zoomReset", "0", "Back to 100 %"),
  line("Looking", "outline", "Shift+O", "Outline: the canvas as a list", "studio"),
  line("Looking", "problem", "P", "Next problem", "studio"),
  line("Looking", "full", "Shift+F", "Full screen"),
  line("Looking", "help", "?", "Shortcuts", "studio"),
];

/** What the pointer does; only to be read. */
export const GESTURES: readonly { keys: string; words: string; group: Group }[] = [
  { group: "Selecting and moving", keys: "Shift+Drag", words: "Select with a box" },
  { group: "Selecting and moving", keys: "Shift+Click", words: "Add to the selection" },
  { group: "Selecting and moving", keys: "Alt+Drag", words: "Move without lining up" },
  { group: "Adding and connecting", keys: "Double-click", words: "Search and add at that point" },
  { group: "Adding and connecting", keys: "Drag its end", words: "Move or remove a connection" },
  { group: "Looking", keys: "Mod+Wheel", words: "Zoom" },
];

/** Nudges are one command with a way to go: steps of the grid. */
export const NUDGES: Partial<Record<Command, readonly [number, number]>> = {
  left: [-1, 0],
  right: [1, 0],
  up: [0, -1],
  down: [0, 1],
  farLeft: [-5, 0],
  farRight: [5, 0],
  farUp: [0, -5],
  farDown: [0, 5],
};

export interface Key {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

/** A sign such as "?" needs Shift on some keyboards and not on others. */
const isSign = (key: string) => key.length === 1 && key.toLowerCase() === key.toUpperCase();

function pressed(keys: string, event: Key): boolean {
  const parts = keys === "+" ? ["+"] : keys.split("+");
  const key = parts.at(-1) ?? "";
  if (key.toLowerCase() !== event.key.toLowerCase() || event.altKey) return false;
  if (parts.includes("Mod") !== (event.ctrlKey || event.metaKey)) return false;
  return isSign(key) || parts.includes("Shift") === event.shiftKey;
}

export function shortcutOf(event: Key): Shortcut | null {
  return SHORTCUTS.find((s) => s.keys.some((keys) => pressed(keys, event))) ?? null;
}

const NAMES: Record<string, string> = {
  ArrowLeft: "Arrow keys",
  Escape: "Esc",
  Delete: "Del",
  "-": "−",
};
const MAC: Record<string, string> = { Mod: "⌘", Shift: "⇧", Delete: "⌫" };

/** "Ctrl+Shift+Z", or "⇧⌘Z" as a Mac writes it. */
export function keysShown(keys: string, mac: boolean): string {
  if (keys === "+") return keys;
  const parts = keys.split("+").map((p) => (mac ? MAC[p] : undefined) ?? NAMES[p] ?? p);
  if (!mac) return parts.map((p) => (p === "Mod" ? "Ctrl" : p)).join("+");
  const joined = parts.some((p) => p.length > 1 && p !== "F2") ? " " : "";
  return parts.sort((a, b) => rank(a) - rank(b)).join(joined);
}
const rank = (part: string) => ["⇧", "⌘"].indexOf(part) + 1 || 3;

export function hint(command: Command, mac: boolean): string {
  const [keys] = SHORTCUTS.find((s) => s.command === command)?.keys ?? [];
  return keys ? keysShown(keys, mac) : "";
}

export const isMac = (platform: string) => /mac|iphone|ipad/i.test(platform);
