/** A connection in the colour of what flows through it, drawn as its target's state asks. */
import { BaseEdge, type EdgeProps, getBezierPath } from "@xyflow/react";
import { memo } from "react";
import { KINDS } from "../logic/ports";
import { latest } from "../logic/runs";
import { useStudio } from "../state/session";

const FLOW_LIMIT = 12;

export const FlowEdge = memo(function FlowEdge(p: EdgeProps) {
  const [path] = getBezierPath(p);
  const type = useStudio((s) => {
    const source = s.history.present.nodes.find((n) => n.id === p.source);
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
    <>
      {state === "running" && <path d={path} className={`${name} em-edge-track`} />}
      <BaseEdge
        path={path}
        className={[name, p.selected && "em-edge-selected", still && "em-still"]
          .filter(Boolean)
          .join(" ")}
        interactionWidth={20}
      />
    </>
  );
});
