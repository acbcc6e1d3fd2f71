/** Minimap and zoom, bottom left: the corner that stays free while the flow runs right. */
import { MiniMap, Panel, useReactFlow, useStore } from "@xyflow/react";
import { latest } from "../logic/runs";
import { useSession } from "../state/session";
import { Button } from "./parts";

const MINIMAP_FROM = 560;

export function Corner() {
  const { zoomIn, zoomOut, zoomTo } = useReactFlow();
  const zoom = useStore((s) => Math.round(s.transform[2] * 100));
  const wide = useStore((s) => s.width >= MINIMAP_FROM);
  const { store } = useSession();
  const kind = (n: { id: string; type?: string | undefined }) => {
    const run = latest(store.getState().traits.runs.items, n.id);
    return `em-mini em-mini-${run?.status === "failed" ? "failed" : n.type}`;
  };
  return (
    <>
      {wide && (
        <MiniMap
          position="bottom-left"
          nodeClassName={kind}
          nodeBorderRadius={6}
          style={{ width: 120, height: 80 }}
          pannable
          ariaLabel="Overview of the canvas"
        />
      )}
      <Panel position="bottom-left" className={wide ? "em-zoom em-zoom-beside" : "em-zoom"}>
        <Button icon="minus" kind="quiet" label="Zoom out" onClick={() => void zoomOut()} />
        <button
          type="button"
          className="em-zoom-value"
          title="Back to 100 %"
          onClick={() => void zoomTo(1, { duration: 200 })}
        >
          {zoom} %
        </button>
        <Button icon="plus" kind="quiet" label="Zoom in" onClick={() => void zoomIn()} />
      </Panel>
    </>
  );
}
