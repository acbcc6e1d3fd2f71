/** Adding a node where the user looks. */
import { type ReactFlowInstance, useReactFlow } from "@xyflow/react";
import { useCallback } from "react";
import { type Box, freeSpot, ROOM } from "../logic/place";
import { useActions } from "../state/session";
import { glide } from "./motion";
import { useView } from "./view";

/** What place the nodes take. */
export function boxes(flow: ReactFlowInstance): Box[] {
  return flow.getNodes().map((n) => {
    const { width = 232, height = 120 } = ROOM[n.type ?? ""] ?? {};
    const { width: w = width, height: h = 0 } = n.measured ?? {};
    // A Dataset node grows when its first rows are known.
    const grows = n.type === "dataset" || h === 0;
    return { ...n.position, width: w, height: grows ? Math.max(h, height) : h };
  });
}

/** What place is taken: by nodes, and by what lies over the canvas as the view is now. */
export function takenPlaces(flow: ReactFlowInstance, el: HTMLElement): Box[] {
  const panels = el.querySelectorAll(".em-canvas .react-flow__panel");
  return [
    ...boxes(flow),
    ...[...panels].map((panel) => {
      const { left, top, right, bottom } = panel.getBoundingClientRect();
      const from = flow.screenToFlowPosition({ x: left, y: top });
      const to = flow.screenToFlowPosition({ x: right, y: bottom });
      return { ...from, width: to.x - from.x, height: to.y - from.y };
    }),
  ];
}

/** Adds a node of a type at a point of the page, or where there is room near the middle. */
export function useAddNode() {
  const { add } = useActions();
  const flow = useReactFlow();
  const { el } = useView();
  return useCallback(
    (type: string, at?: { x: number; y: number }) => {
      if (at) return add(type, flow.screenToFlowPosition(at));
      const canvas = el.querySelector(".em-canvas")?.getBoundingClientRect() ?? new DOMRect();
      const from = flow.screenToFlowPosition({ x: canvas.left, y: canvas.top });
      const to = flow.screenToFlowPosition({ x: canvas.right, y: canvas.bottom });
      const { width = 232, height = 120 } = ROOM[type] ?? {};
      const taken = takenPlaces(flow, el);
      const middle = { x: (from.x + to.x - width) / 2, y: (from.y + to.y - height) / 2 };
      const spot = freeSpot(taken, type, middle);
      const inside =
        spot.x >= from.x && spot.y >= from.y && spot.x + width <= to.x && spot.y + height <= to.y;
      const id = add(type, spot);
      // Out of sight it would seem that nothing happened.
      if (!inside) {
        requestAnimationFrame(() => {
          void flow.fitView({ padding: 0.06, maxZoom: 1, minZoom: 0.3, duration: glide() });
        });
      }
      return id;
    },
    [add, flow, el],
  );
}
