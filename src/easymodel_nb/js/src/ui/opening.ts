/** What part of a document is in view when it is opened. */
import { useNodesInitialized, useReactFlow, useStore, useStoreApi } from "@xyflow/react";
import { type RefObject, useEffect, useRef } from "react";
import { useSession, useStudio } from "../state/session";
import { useViewState } from "./view";

const EDGE = 16;
const shallow = (a: readonly number[], b: readonly number[]) => a.every((v, i) => v === b[i]);
const FIT = { padding: 0.04, maxZoom: 1, minZoom: 0.72 };

/** Restores the saved viewport where it shows every node, else fits, legibly if possible. */
export function useOpening(root: RefObject<HTMLDivElement | null>): void {
  const { store } = useSession();
  const opened = useStudio((s) => s.opened);
  const tab = useStudio((s) => s.tab);
  const wide = useViewState((s) => s.width > 0);
  const ready = useNodesInitialized();
  const flow = useReactFlow();
  const shown = useRef(0);
  useEffect(() => {
    const box = root.current?.getBoundingClientRect();
    if (!ready || !wide || !box?.width || tab !== "canvas" || shown.current === opened) return;
    shown.current = opened;
    const { viewport } = store.getState().history.present;
    const saved = viewport.x !== 0 || viewport.y !== 0 || viewport.zoom !== 1;
    const { x, y, width, height } = flow.getNodesBounds(flow.getNodes());
    const at = { x: x * viewport.zoom + viewport.x, y: y * viewport.zoom + viewport.y };
    const inside =
      at.x >= 0 &&
      at.y >= 0 &&
      at.x + width * viewport.zoom <= box.width &&
      at.y + height * viewport.zoom <= box.height;
    if (saved && inside) void flow.setViewport(viewport);
    else void flow.fitView(FIT);
  }, [ready, wide, tab, opened, flow, root, store]);
}

/** Opening the inspector narrows the canvas: its node is moved back into view. */
export function useInspected(): void {
  const inspected = useStudio((s) => s.inspector);
  const flow = useReactFlow();
  const { getState } = useStoreApi();
  const [width, height] = useStore((s) => [s.width, s.height] as const, shallow);
  const done = useRef<string | null>(null);
  useEffect(() => {
    if (!inspected || done.current === `${inspected}/${width}/${height}`) return;
    done.current = `${inspected}/${width}/${height}`;
    const node = getState().nodeLookup.get(inspected);
    if (!node) return;
    const { x, y, zoom } = flow.getViewport();
    const at = node.internals.positionAbsolute;
    const shift = (from: number, size: number, room: number) =>
      from < EDGE || size + 2 * EDGE > room
        ? EDGE - from
        : Math.min(0, room - EDGE - (from + size));
    const dx = shift(at.x * zoom + x, (node.measured.width ?? 0) * zoom, width);
    const dy = shift(
      at.y * zoom + y,
      Math.min(height / 2, (node.measured.height ?? 0) * zoom),
      height,
    );
    if (dx || dy) void flow.setViewport({ x: x + dx, y: y + dy, zoom }, { duration: 200 });
  }, [inspected, width, height, flow, getState]);
}
