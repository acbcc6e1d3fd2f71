/** What part of a document is in view when it is opened. */
import {
  getViewportForBounds,
  type InternalNode,
  type Rect,
  useNodesInitialized,
  useReactFlow,
  useStore,
  useStoreApi,
  type Viewport,
} from "@xyflow/react";
import { type RefObject, useCallback, useEffect, useRef } from "react";
import type { Node } from "../protocol";
import { useSession, useStudio } from "../state/session";
import { glide } from "./motion";
import { useViewState } from "./view";

const EDGE = 16;
const shallow = (a: readonly number[], b: readonly number[]) => a.every((v, i) => v === b[i]);
const FIT = { padding: 0.04, maxZoom: 1, minZoom: 0.72 };

/**
 * Restores the saved viewport where it shows every node, else fits, legibly if possible. Says
 * whether that is done: until then a movement that ends belongs to the document before.
 */
export function useOpening(root: RefObject<HTMLDivElement | null>): () => boolean {
  const { store } = useSession();
  const opened = useStudio((s) => s.opened);
  const tab = useStudio((s) => s.tab);
  const wide = useViewState((s) => s.width > 0);
  const ready = useNodesInitialized();
  const flow = useReactFlow();
  const shown = useRef(0);
  useEffect(() => {
    const box = root.current?.getBoundingClientRect();
    if (!wide || !box?.width || tab !== "canvas" || shown.current === opened) return;
    const { viewport, nodes } = store.getState().history.present;
    if (nodes.length === 0) {
      // What is added lies where it was put, not where the last project was looked at.
      shown.current = opened;
      void flow.setViewport({ x: 0, y: 0, zoom: 1 });
      return;
    }
    // Just after a switch the canvas still holds the nodes of the project before; in a copy of it
    // they have the same ids.
    const drawn = ({ id, position }: Node) => {
      const there = flow.getNode(id);
      const { x, y } = there?.position ?? { x: Number.NaN, y: Number.NaN };
      return there?.measured?.width && x === position.x && y === position.y;
    };
    if (!ready || flow.getNodes().length !== nodes.length || !nodes.every(drawn)) return;
    shown.current = opened;
    const saved = viewport.x !== 0 || viewport.y !== 0 || viewport.zoom !== 1;
    const { x, y, width, height } = flow.getNodesBounds(flow.getNodes());
    const at = { x: x * viewport.zoom + viewport.x, y: y * viewport.zoom + viewport.y };
    const inside =
      at.x >= 0 &&
      at.y >= 0 &&
      at.x + width * viewport.zoom <= box.width &&
      at.y + height * viewport.zoom <= box.height;
    if (saved && inside) void flow.setViewport(viewport);
    else void flow.setViewport(fitted({ x, y, width, height }, box));
  }, [ready, wide, tab, opened, flow, root, store]);
  return useCallback(() => shown.current === store.getState().opened, [store]);
}

/** Everything in the middle, or its beginning where it is too much to be legible in one look. */
function fitted(all: Rect, room: { width: number; height: number }): Viewport {
  const { minZoom, maxZoom, padding } = FIT;
  const view = getViewportForBounds(all, room.width, room.height, minZoom, maxZoom, padding);
  const { zoom } = view;
  return {
    x: all.width * zoom > room.width ? EDGE - all.x * zoom : view.x,
    y: all.height * zoom > room.height ? EDGE - all.y * zoom : view.y,
    zoom,
  };
}

/** Opening the inspector narrows the canvas: its node is moved into view, and back afterwards. */
export function useInspected(): void {
  const inspected = useStudio((s) => s.inspector);
  const flow = useReactFlow();
  const { getState } = useStoreApi();
  const [width, height] = useStore((s) => [s.width, s.height] as const, shallow);
  const seen = useRef<string | null>(null);
  const moved = useRef<{ from: Viewport; to: Viewport; at: number } | null>(null);
  useEffect(() => {
    const now = flow.getViewport();
    const key = `${inspected}/${width}/${height}`;
    if (seen.current === key) return;
    seen.current = key;
    if (!inspected) {
      const back = moved.current;
      moved.current = null;
      // Still sliding, or where it slid to: the user has not moved it since.
      if (back && (Date.now() - back.at < 2 * SLIDE_MS || near(now, back.to)))
        void flow.setViewport(back.from, slide());
      return;
    }
    const node = getState().nodeLookup.get(inspected);
    if (!node) return;
    const to = reveal(node, now, width, height);
    if (near(now, to)) return;
    moved.current = { from: moved.current?.from ?? now, to, at: Date.now() };
    void flow.setViewport(to, slide());
  }, [inspected, width, height, flow, getState]);
}

const SLIDE_MS = 200;
const slide = () => ({ duration: glide(SLIDE_MS), interpolate: "linear" as const });
const near = (a: Viewport, b: Viewport) =>
  Math.abs(a.x - b.x) < 2 && Math.abs(a.y - b.y) < 2 && a.zoom === b.zoom;

/** The viewport moved just so far that a node's beginning is inside. */
function reveal(node: InternalNode, now: Viewport, width: number, height: number): Viewport {
  const { x, y, zoom } = now;
  const at = node.internals.positionAbsolute;
  const size = { x: (node.measured.width ?? 0) * zoom, y: (node.measured.height ?? 0) * zoom };
  const shift = (from: number, length: number, room: number) =>
    from < EDGE || length + 2 * EDGE > room
      ? EDGE - from
      : Math.min(0, room - EDGE - (from + length));
  return {
    x: x + shift(at.x * zoom + x, size.x, width),
    y: y + shift(at.y * zoom + y, Math.min(height / 2, size.y), height),
    zoom,
  };
}
