/** Minimap, zoom and how the hand works, bottom left: the corner that stays free. */
import { MiniMap, Panel, type ReactFlowState, useStore } from "@xyflow/react";
import { memo, useCallback } from "react";
import { latest } from "../logic/runs";
import { type Command, hint, isMac } from "../logic/shortcuts";
import { useSession } from "../state/session";
import { useCommands } from "./commands";
import type { IconName } from "./icons";
import { Button } from "./parts";
import { useViewState } from "./view";

const mac = isMac(navigator.platform);

const MINIMAP_FROM = { width: 560, height: 360 };
const CORNER = { width: 144, height: 104 };
const MINIMAP = { width: 120, height: 80 };

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

/** The minimap draws every node anew when what it is given is new: nothing here may be. */
export const Corner = memo(function Corner() {
  const tool = useViewState((s) => s.tool);
  const snap = useViewState((s) => s.snap);
  const wide = useStore((s) => s.width >= MINIMAP_FROM.width && s.height >= MINIMAP_FROM.height);
  const covers = useStore(coversPicked);
  const empty = useStore((s) => s.nodes.length === 0);
  const { store } = useSession();
  const kind = useCallback(
    (n: { id: string; type?: string | undefined }) => {
      const run = latest(store.getState().traits.runs.items, n.id);
      return `em-mini em-mini-${run?.status === "failed" ? "failed" : n.type}`;
    },
    [store],
  );
  if (empty) return null;
  return (
    <>
      {wide && !covers && (
        <MiniMap
          position="bottom-left"
          nodeClassName={kind}
          nodeBorderRadius={6}
          style={MINIMAP}
          pannable
          ariaLabel="Overview of the canvas"
        />
      )}
      <Panel
        position="bottom-left"
        className={wide && !covers ? "em-zoom em-zoom-beside" : "em-zoom"}
      >
        <Switch command="tool" icon="select" label="Drag to select" pressed={tool === "select"} />
        <Switch command="snap" icon="grid" label="Snap to the grid" pressed={snap} />
        <span className="em-rule" />
        <Switch command="zoomOut" icon="minus" label="Zoom out" />
        <Zoom />
        <Switch command="zoomIn" icon="plus" label="Zoom in" />
        <span className="em-rule" />
        <Switch command="help" icon="keyboard" label="Shortcuts" />
      </Panel>
    </>
  );
});

/** Apart, because it changes with every step of zooming. */
function Zoom() {
  const { run } = useCommands();
  const zoom = useStore((s) => Math.round(s.transform[2] * 100));
  return (
    <button
      type="button"
      className="em-zoom-value"
      title={`Back to 100 % (${hint("zoomReset", mac)})`}
      onClick={() => run.zoomReset(null)}
    >
      {zoom} %
    </button>
  );
}

function Switch(p: { command: Command; icon: IconName; label: string; pressed?: boolean }) {
  const { run } = useCommands();
  return (
    <Button
      icon={p.icon}
      kind="quiet"
      label={p.label}
      hint={hint(p.command, mac)}
      testid={p.command}
      {...(p.pressed !== undefined && { pressed: p.pressed })}
      onClick={() => run[p.command](null)}
    />
  );
}
