/** Opening and closing the outline, from a button, a key or a menu. */
import { focusOn } from "../focus";
import type { View } from "../view";

/** It takes the focus when it is drawn. */
export function toggleOutline(view: View): void {
  if (view.store.getState().outline) closeOutline(view, null);
  else view.store.setState({ outline: true });
}

/** Closed, it leaves the focus on the canvas: on the node that the list stood at. */
export function closeOutline({ el, store }: View, node: string | null): void {
  store.setState({ outline: false });
  const at = node && el.querySelector<HTMLElement>(nodeSelector(node));
  requestAnimationFrame(() => focusOn(at || el.querySelector<HTMLElement>(".em-canvas")));
}

export const nodeSelector = (id: string) => `.react-flow__node[data-id="${CSS.escape(id)}"]`;
