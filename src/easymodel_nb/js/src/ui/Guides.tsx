/**
 * Quiet lines while nodes are dragged, and the last pixels of the way to them. Only what is
 * dragged moves and only the lines are drawn: no other node hears of it. Alt leaves it off.
 */
import { type NodeChange, useStoreApi, ViewportPortal } from "@xyflow/react";
import { memo, useEffect, useMemo, useRef } from "react";
import { useStore } from "zustand";
import { createStore, type StoreApi } from "zustand/vanilla";
import { guides, type Line } from "../logic/guides";
import type { Box } from "../logic/place";
import { useView } from "./view";

const NEAR = 6; // pixels of the screen

interface Drawn {
  lines: readonly Line[];
  zoom: number;
}
export type GuideStore = StoreApi<Drawn>;
const NONE: Drawn = { lines: [], zoom: 1 };

type Moved = Extract<NodeChange, { type: "position" }> & { position: { x: number; y: number } };
const isMoved = (change: NodeChange): change is Moved =>
  change.type === "position" && change.position !== undefined && change.dragging !== undefined;

/** `adjust` puts what is dragged where it lines up, before anybody sees it. */
export function useGuides() {
  const flow = useStoreApi();
  const view = useView();
  const exact = useRef(false);
  useEffect(() => {
    const look = (e: PointerEvent) => {
      exact.current = e.altKey;
    };
    window.addEventListener("pointermove", look, { capture: true, passive: true });
    return () => window.removeEventListener("pointermove", look, { capture: true });
  }, []);
  return useMemo(() => {
    const store: GuideStore = createStore(() => NONE);
    let others: Box[] | null = null;
    let seen: readonly number[] = [];

    const boxOf = (id: string, at?: { x: number; y: number }): Box | null => {
      const node = flow.getState().nodeLookup.get(id);
      const { width, height } = node?.measured ?? {};
      if (!node || !width || !height) return null;
      return { ...(at ?? node.internals.positionAbsolute), width, height };
    };
    /** What lies still and can be seen; anew when the view moved under the drag. */
    function still(dragged: Set<string>): Box[] {
      const { transform, width, height, nodeLookup } = flow.getState();
      if (others && seen === transform) return others;
      const [x, y, zoom] = transform;
      const shown = { x: -x / zoom, y: -y / zoom, width: width / zoom, height: height / zoom };
      seen = transform;
      others = [...nodeLookup.keys()]
        .filter((id) => !dragged.has(id))
        .flatMap((id) => boxOf(id) ?? [])
        .filter((box) => meet(box, shown));
      return others;
    }
    function adjust(changes: NodeChange[]): NodeChange[] {
      const moved = changes.filter(isMoved);
      const around = hull(moved.flatMap((c) => boxOf(c.id, c.position) ?? []));
      if (!around) return changes;
      const ends = moved.some((c) => !c.dragging);
      if (ends && others === null) return changes; // nobody dragged it here
      const zoom = flow.getState().transform[2];
      const free = exact.current || view.store.getState().snap; // the grid says where to stop
      const found = guides(around, still(new Set(moved.map((c) => c.id))), free ? 0 : NEAR / zoom);
      const drawn = ends || exact.current ? NONE.lines : found.lines;
      if (!sameLines(drawn, store.getState().lines)) store.setState({ lines: drawn, zoom });
      if (ends) others = null;
      const { dx, dy } = found;
      if (dx === 0 && dy === 0) return changes;
      return changes.map((c) =>
        isMoved(c) ? { ...c, position: { x: c.position.x + dx, y: c.position.y + dy } } : c,
      );
    }
    return { adjust, store };
  }, [flow, view]);
}

export const Guides = memo(function Guides({ store }: { store: GuideStore }) {
  const { lines, zoom } = useStore(store);
  if (lines.length === 0) return null;
  return (
    <ViewportPortal>
      {lines.map(({ axis, at, from, to }) => (
        <div
          key={`${axis}${at}`}
          className="em-guide"
          data-testid="guide"
          data-axis={axis}
          style={
            axis === "x"
              ? { left: at, top: from, width: 1 / zoom, height: to - from }
              : { left: from, top: at, width: to - from, height: 1 / zoom }
          }
        />
      ))}
    </ViewportPortal>
  );
});

const meet = (a: Box, b: Box) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** The box round all of them. */
function hull(boxes: Box[]): Box | null {
  if (boxes.length === 0) return null;
  const x = Math.min(...boxes.map((b) => b.x));
  const y = Math.min(...boxes.map((b) => b.y));
  const right = Math.max(...boxes.map((b) => b.x + b.width));
  const bottom = Math.max(...boxes.map((b) => b.y + b.height));
  return { x, y, width: right - x, height: bottom - y };
}

const sameLines = (a: readonly Line[], b: readonly Line[]) =>
  a.length === b.length &&
  a.every((line, i) => {
    const other = b[i];
    return (
      other?.axis === line.axis &&
      other.at === line.at &&
      other.from === line.from &&
      other.to === line.to
    );
  });
