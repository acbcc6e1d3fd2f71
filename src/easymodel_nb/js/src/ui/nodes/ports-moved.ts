/** React Flow measures a node's ports when it comes or is resized; else it has to be told. */
import { useStoreApi, useUpdateNodeInternals } from "@xyflow/react";
import { useEffect, useRef } from "react";

const waiting = new WeakMap<object, Set<string>>();

/**
 * Tells it when `place` changed. Nodes that change together, as all do when they fold at a zoom,
 * are told in one: each telling lays out the page and asks every node whether it concerns it.
 */
export function usePortsMoved(id: string, place: unknown): void {
  const update = useUpdateNodeInternals();
  const flow = useStoreApi();
  const before = useRef(place);
  useEffect(() => {
    if (before.current === place) return;
    before.current = place;
    const others = waiting.get(flow);
    if (others) {
      others.add(id);
      return;
    }
    const ids = new Set([id]);
    waiting.set(flow, ids);
    queueMicrotask(() => {
      waiting.delete(flow);
      update([...ids]);
    });
  }, [flow, id, place, update]);
}
