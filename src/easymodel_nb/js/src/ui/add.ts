/** Adding a node where the user looks. */
import { useReactFlow } from "@xyflow/react";
import { useCallback } from "react";
import { WIDTH } from "../logic/graph";
import { useActions } from "../state/session";
import { useView } from "./view";

/** Adds a node of a type at a point of the page, or in the middle of the canvas. */
export function useAddNode() {
  const { add } = useActions();
  const { screenToFlowPosition } = useReactFlow();
  const { el } = useView();
  return useCallback(
    (type: string, at?: { x: number; y: number }) => {
      const box = el.querySelector(".em-canvas")?.getBoundingClientRect();
      const middle = { x: (box?.x ?? 0) + (box?.width ?? 0) / 2, y: (box?.y ?? 0) + 120 };
      const spot = screenToFlowPosition(at ?? middle);
      const half = at ? 0 : (WIDTH[type] ?? 232) / 2;
      return add(type, { x: spot.x - half, y: spot.y });
    },
    [add, screenToFlowPosition, el],
  );
}
