import { describe, expect, it } from "vitest";
import { hint, isMac, type Key, keysShown, SHORTCUTS, shortcutOf } from "../src/logic/shortcuts";

const key = (name: string, more: Partial<Key> = {}): Key => ({
  key: name,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...more,
});
const command = (name: string, more: Partial<Key> = {}) => shortcutOf(key(name, more))?.command;

describe("shortcuts", () => {
  it("finds commands by key, with Ctrl or Cmd", () => {
    expect(command("z", { ctrlKey: true })).toBe("undo");
    expect(command("z", { metaKey: true })).toBe("undo");
    expect(command("Z", { ctrlKey: true, shiftKey: true })).toBe("redo");
    expect(command("y", { ctrlKey: true })).toBe("redo");
    expect(command("Backspace")).toBe("remove");
    expect(command("ArrowLeft", { shiftKey: true })).toBe("farLeft");
  });

  it("knows a sign with and without Shift, and letters only as written", () => {
    expect(command("?", { shiftKey: true })).toBe("help");
    expect(command("/")).toBe("search");
    expect(command("/", { shiftKey: true })).toBe("search"); // a German keyboard
    expect(command("+", { shiftKey: true })).toBe("zoomIn");
    expect(command("F", { shiftKey: true })).toBe("full");
    expect(command("f")).toBe("showAll");
    expect(command("F10", { shiftKey: true })).toBe("menu");
  });

  it("leaves what is the browser's or the keyboard layout's alone", () => {
    expect(command("c", { ctrlKey: true, altKey: true })).toBeUndefined(); // AltGr
    expect(command("f", { ctrlKey: true })).toBeUndefined();
    expect(command("c", { ctrlKey: true, shiftKey: true })).toBeUndefined();
    expect(command("x")).toBeUndefined();
  });

  it("gives no key to two commands", () => {
    const all = SHORTCUTS.flatMap((s) => s.keys);
    expect(new Set(all).size).toBe(all.length);
  });

  it("names keys by platform", () => {
    expect(hint("redo", false)).toBe("Ctrl+Shift+Z");
    expect(hint("redo", true)).toBe("⇧⌘Z");
    expect(hint("rename", true)).toBe("F2");
    expect(keysShown("Shift+Drag", true)).toBe("⇧ Drag");
    expect(hint("zoomIn", false)).toBe("+");
    expect([isMac("MacIntel"), isMac("Linux x86_64")]).toEqual([true, false]);
  });
});
