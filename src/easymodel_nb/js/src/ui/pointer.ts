/** What the pointer does on the canvas beside dragging: where it is, double and right clicks. */
import { type MouseEvent, type PointerEvent, useMemo } from "react";
import type { Commands } from "./commands";
import { editable } from "./keys";
import { useView } from "./view";

export function usePointer(commands: Commands) {
  const view = useView();
  return useMemo(
    () => ({
      onPointerMove(e: PointerEvent) {
        view.pointer = { x: e.clientX, y: e.clientY };
      },
      onPointerLeave() {
        view.pointer = null;
      },
      onDoubleClick(e: MouseEvent) {
        if (!(e.target as Element).classList.contains("react-flow__pane")) return;
        const at = { x: e.clientX, y: e.clientY };
        commands.open({ kind: "search", at, free: false, from: [], existing: false });
      },
      onContextMenu(e: MouseEvent) {
        const target = e.target as HTMLElement;
        if (editable(target) || !getSelection()?.isCollapsed) return; // the browser's own is for text
        e.preventDefault();
        // The key that opens menus sends this event too, without a place.
        const pressed = e.button === 2 || e.clientX !== 0 || e.clientY !== 0;
        commands.menu(target, pressed ? { x: e.clientX, y: e.clientY } : undefined);
      },
    }),
    [commands, view],
  );
}
