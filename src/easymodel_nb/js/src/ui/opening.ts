/** What part of a document is in view when it is opened. */
import { useNodesInitialized, useReactFlow } from "@xyflow/react";
import { type RefObject, useEffect, useRef } from "react";
import { useSession, useStudio } from "../state/session";
import { useViewState } from "./view";

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
