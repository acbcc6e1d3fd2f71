/** A connection in the colour of what flows through it, drawn as its target's state asks. */
import { BaseEdge, type EdgeProps, getBezierPath } from "@xyflow/react";
import { memo, useState } from "react";
import { nodeOf } from "../logic/lookup";
import { KINDS } from "../logic/ports";
import { latest } from "../logic/runs";
import { useStudio } from "../state/session";
import { useCommands } from "./commands";

const FLOW_LIMIT = 12;

export const FlowEdge = memo(function FlowEdge(p: EdgeProps) {
  const [path, x, y] = getBezierPath(p);
  const [over, setOver] = useState(false);
  const type = useStudio((s) => {
    const source = nodeOf(s.history.present, p.source);
    return KINDS[source?.type ?? ""]?.outputs[p.sourceHandleId ?? ""]?.type ?? "unknown";
  });
  const state = useStudio((s) => {
    const run = latest(s.traits.runs.items, p.target);
    if (run?.status === "running" && s.lostSince !== null) return "lost";
    return run?.status ?? "idle";
  });
  const still = useStudio((s) => s.history.present.edges.length > FLOW_LIMIT);
  const name = `em-edge em-edge-${type} em-edge-${state}`;
  return (
    <g onPointerEnter={() => setOver(true)} onPointerLeave={() => setOver(false)}>
      {state === "running" && <path d={path} className={`${name} em-edge-track`} />}
      <BaseEdge
        path={path}
        className={[name, (p.selected || over) && "em-edge-selected", still && "em-still"]
          .filter(Boolean)
          .join(" ")}
        interactionWidth={20}
      />
      {(p.selected || over) && <Remove id={p.id} x={x} y={y} />}
    </g>
  );
});

/** Delete does the same with the focus on the connection. */
function Remove({ id, x, y }: { id: string; x: number; y: number }) {
  const { removeEdges } = useCommands();
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the Delete key removes the edge around it
    <g
      className="em-edge-remove nopan"
      data-testid="edge-remove"
      transform={`translate(${x} ${y})`}
      onClick={(e) => {
        e.stopPropagation();
        removeEdges([id]);
      }}
    >
      <title>Delete the connection</title>
      <circle r="12" className="em-edge-remove-area" />
      <circle r="9" />
      <path d="M-3.2-3.2 3.2 3.2M3.2-3.2-3.2 3.2" />
    </g>
  );
}
