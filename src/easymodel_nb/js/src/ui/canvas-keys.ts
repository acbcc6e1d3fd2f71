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
        const inCanvas = target.closest(".em-canvas");
        if (!inCanvas) return;
        const own = target.closest<HTMLElement>(".react-flow__node")?.dataset.id;
        const edge = target.closest<HTMLElement>(".react-flow__edge")?.dataset.id;
        const nodes = new Set(
          flow
            .getNodes()
            .filter((n) => n.selected)
            .map((n) => n.id),
        );
        const edges = new Set(
          flow
            .getEdges()
            .filter((e) => e.selected)
            .map((e) => e.id),
        );
        if (own) nodes.add(own);
        if (edge) edges.add(edge);
        if (nodes.size + edges.size === 0) return;
        actions.remove(nodes, edges);
        requestAnimationFrame(refocus); // the focused element is gone, the focus must not be
      },
    }),
    [flow, actions, refocus],
  );
}
