/** Undo, redo, select all and delete, by key. */
import type { ReactFlowInstance } from "@xyflow/react";
import { useMemo } from "react";
import type { Actions } from "../state/actions";
import type { KeyHandlers } from "./keys";

export function useCanvasKeys(
  flow: ReactFlowInstance,
  actions: Actions,
  refocus: () => void,
): KeyHandlers {
  return useMemo(
    () => ({
      undo: actions.undo,
      redo: actions.redo,
      selectAll() {
        flow.setNodes((nodes) => nodes.map((n) => (n.selected ? n : { ...n, selected: true })));
      },
      remove(target) {
        if (!target.closest(".em-canvas")) return;
        const { nodes, edges } = concerned(flow, target);
        if (nodes.size + edges.size === 0) return;
        actions.remove(nodes, edges);
        requestAnimationFrame(refocus); // the focused element is gone, the focus must not be
      },
    }),
    [flow, actions, refocus],
  );
}

/** What has the focus, with the selection if it is part of it; on the pane, the selection. */
function concerned(flow: ReactFlowInstance, target: HTMLElement) {
  const ids = (items: { id: string; selected?: boolean }[]) =>
    new Set(items.filter((i) => i.selected).map((i) => i.id));
  const [nodes, edges] = [ids(flow.getNodes()), ids(flow.getEdges())];
  const node = target.closest<HTMLElement>(".react-flow__node")?.dataset.id;
  if (node !== undefined && !nodes.has(node))
    return { nodes: new Set([node]), edges: new Set<string>() };
  const edge = target.closest<HTMLElement>(".react-flow__edge")?.dataset.id;
  if (edge !== undefined && !edges.has(edge))
    return { nodes: new Set<string>(), edges: new Set([edge]) };
  return { nodes, edges };
}
