/** Minimap and zoom, bottom left: the corner that stays free while the flow runs right. */
import { MiniMap, Panel, type ReactFlowState, useReactFlow, useStore } from "@xyflow/react";
import { latest } from "../logic/runs";
import { useSession } from "../state/session";
import { glide } from "./motion";
import { Button } from "./parts";

const MINIMAP_FROM = { width: 560, height: 360 };
const CORNER = { width: 144, height: 104 };

/** Whether a node that is picked lies under the minimap. */
function coversPicked(s: ReactFlowState): boolean {
  const [x, y, zoom] = s.transform;
  for (const node of s.nodeLookup.values()) {
    if (!node.selected) continue;
    const { x: left, y: top } = node.internals.positionAbsolute;
    const bottom = (top + (node.measured.height ?? 0)) * zoom + y;
    const right = (left + (node.measured.width ?? 0)) * zoom + x;
    if (left * zoom + x < CORNER.width && right > 0 && bottom > s.height - CORNER.height)
      return true;
  }
  return false;
}

export function Corner() {
  const { zoomIn, zoomOut, zoomTo } = useReactFlow();
  const zoom = useStore((s) => Math.round(s.transform[2] * 100));
  const wide = useStore((s) => s.width >= MINIMAP_FROM.width && s.height >= MINIMAP_FROM.height);
  const covers = useStore(coversPicked);
  const empty = useStore((s) => s.nodes.length === 0);
  const { store } = useSession();
  const kind = (n: { id: string; type?: string | undefined }) => {
    const run = latest(store.getState().traits.runs.items, n.id);
    return `em-mini em-mini-${run?.status === "failed" ? "failed" : n.type}`;
  };
  if (empty) return null;
  return (
    <>
      {wide && !covers && (
        <MiniMap
          position="bottom-left"
          nodeClassName={kind}
          nodeBorderRadius={6}
          style={{ width: 120, height: 80 }}
          pannable
          ariaLabel="Overview of the canvas"
        />
      )}
      <Panel
        position="bottom-left"
        className={wide && !covers ? "em-zoom em-zoom-beside" : "em-zoom"}
      >
        <Button icon="minus" kind="quiet" label="Zoom out" onClick={() => void zoomOut()} />
        <button
          type="button"
          className="em-zoom-value"
          title="Back to 100 %"
          onClick={() => void zoomTo(1, { duration: glide() })}
        >
          {zoom} %
        </button>
        <Button icon="plus" kind="quiet" label="Zoom in" onClick={() => void zoomIn()} />
      </Panel>
    </>
  );
}
