/** Giving the focus to what was just made, and back to what had it before a popup. */
import { keptTyping } from "./typing";
import type { View } from "./view";

const FRAMES = 30; // React Flow measures a node before it can take the focus

export const nodeSelector = (id: string) => `.react-flow__node[data-id="${CSS.escape(id)}"]`;

export const edgeSelector = (id: string) => `.react-flow__edge[data-id="${CSS.escape(id)}"]`;

export function makeFocus(view: View) {
  const canvas = () =>
    view.el.querySelector<HTMLElement>(".em-canvas")?.focus({ preventScroll: true });

  function soon(selector: string, then?: (found: HTMLElement | null) => void, left = FRAMES): void {
    requestAnimationFrame(() => {
      const found = view.el.querySelector<HTMLElement>(selector);
      found?.focus({ preventScroll: true });
      if (found && document.activeElement === found) then?.(found);
      else if (left > 0) soon(selector, then, left - 1);
      else then?.(null);
    });
  }
  return {
    canvas,
    /** Where React Flow blurs a node that a click takes out of the selection. */
    keep: () =>
      requestAnimationFrame(() => {
        if (document.activeElement === document.body) canvas();
      }),
    node: (id: string, then?: () => void) => soon(nodeSelector(id), (found) => found && then?.()),
    /** A field in a node that was just made; what is typed until it is there goes into it. */
    inNode: (id: string, what: string) => soon(`${nodeSelector(id)} ${what}`, keptTyping(view.el)),
    remember() {
      const active = document.activeElement;
      view.before = active instanceof HTMLElement && view.el.contains(active) ? active : null;
    },
    back() {
      if (view.before?.isConnected) view.before.focus({ preventScroll: true });
      if (!view.before || document.activeElement !== view.before) canvas();
      view.before = null;
    },
  };
}
