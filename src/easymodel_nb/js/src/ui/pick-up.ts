/**
 * A press on an input that is taken holds the end of the edge in it, as in other editors of
 * graphs; React Flow would begin a second edge there. So the press goes to the edge's own end.
 */
import type { Workflow } from "../protocol";

export function pickUp(canvas: HTMLElement, doc: Workflow, event: MouseEvent): void {
  if (event.button !== 0) return;
  const port = (event.target as Element).closest<HTMLElement>(".react-flow__handle.target");
  const { nodeid, handleid } = port?.dataset ?? {};
  const edge = doc.edges.find((e) => e.target === nodeid && e.targetHandle === handleid);
  const selector = `.react-flow__edge[data-id="${CSS.escape(edge?.id ?? "")}"]`;
  const end = edge && canvas.querySelector(`${selector} .react-flow__edgeupdater-target`);
  if (!end) return;
  event.stopPropagation();
  const { clientX, clientY } = event;
  const init = { bubbles: true, cancelable: true, view: window, button: 0, buttons: 1 };
  end.dispatchEvent(new MouseEvent("mousedown", { ...init, clientX, clientY }));
}
