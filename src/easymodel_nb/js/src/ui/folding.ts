/**
 * From how far away nodes are drawn closed. Every node folds at the same zoom, so one flag of the
 * view says it; and while the hand still zooms nothing folds, neither under the eyes of who looks
 * for something nor at the cost of its frames.
 */
import { useStoreApi } from "@xyflow/react";
import { useEffect, useMemo, useRef } from "react";
import { useView } from "./view";

export const CLOSED_BELOW = 0.7;

/** Handlers for the canvas; `event` is null where a command moves the view and no hand does. */
export function useFolding() {
  const { store } = useView();
  const flow = useStoreApi();
  const moving = useRef(false);
  const settle = useMemo(
    () => () => {
      const near = flow.getState().transform[2] >= CLOSED_BELOW;
      if (near !== store.getState().near) store.setState({ near });
    },
    [flow, store],
  );
  useEffect(() => {
    settle();
    return flow.subscribe((now, before) => {
      if (now.transform !== before.transform && !moving.current) settle();
    });
  }, [flow, settle]);
  return useMemo(
    () => ({
      onMoveStart: (event: unknown) => {
        moving.current = event !== null && event !== undefined;
      },
      settled: () => {
        moving.current = false;
        settle();
      },
    }),
    [settle],
  );
}
