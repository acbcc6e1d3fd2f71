/** The canvas by key and clipboard: what the table of shortcuts names is done here. */
import { type KeyboardEvent as ReactKeyboardEvent, useMemo } from "react";
import { type Command, NUDGES, shortcutOf } from "../logic/shortcuts";
import { useSession } from "../state/session";
import type { Commands } from "./commands";
import { editable, type KeyHandlers } from "./keys";

const CLIPBOARD = new Set<Command>(["copy", "cut", "paste"]);
/** A browser that sends clipboard events does so at once; others get what the menu does. */
const NO_EVENT_MS = 80;

export function useCanvasKeys(commands: Commands, addFiles: (files: File[]) => void): KeyHandlers {
  const { store } = useSession();
  return useMemo(() => {
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const { run, clip, focus, show, concerned } = commands;
    return {
      run(command, target) {
        if (store.getState().tab !== "canvas") return false;
        if (CLIPBOARD.has(command)) {
          clearTimeout(waiting);
          if (!textIsSelected()) waiting = setTimeout(() => run[command](target), NO_EVENT_MS);
          return false; // the browser answers with an event, which alone may read the clipboard
        }
        run[command](target);
        return true;
      },
      clipboard(event) {
        const target = event.target as HTMLElement;
        const ours = target.closest?.(".em-canvas") && !editable(target) && !textIsSelected();
        if (!ours || !event.clipboardData) return;
        clearTimeout(waiting);
        if (event.type === "paste") {
          event.preventDefault();
          const files = [...event.clipboardData.files];
          if (files.length > 0) addFiles(files);
          else show(clip.put(event.clipboardData.getData("text/plain")));
          return;
        }
        const { nodes } = concerned(target);
        if (nodes.length === 0) return;
        event.preventDefault();
        const text = event.type === "cut" ? clip.cutText(nodes) : clip.copyText(nodes);
        event.clipboardData.setData("text/plain", text);
        if (event.type === "cut") focus.canvas();
      },
    };
  }, [commands, store, addFiles]);
}

/** Someone who marked a sentence wants to copy the sentence. */
function textIsSelected(): boolean {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && selection.toString().trim() !== "";
}

/** Arrows on a node, before React Flow moves it by steps of its own, each of them one to undo. */
export function nudgeFirst(event: ReactKeyboardEvent, commands: Commands): void {
  const target = event.target as HTMLElement;
  if (!target.classList.contains("react-flow__node")) return;
  const command = shortcutOf(event.nativeEvent)?.command;
  if (!command || !NUDGES[command]) return;
  commands.run[command](target);
  event.preventDefault();
  event.stopPropagation();
}
