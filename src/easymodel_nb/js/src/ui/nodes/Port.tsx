/** A handle: round carries a model, square a dataset; filled when connected. */
import { Handle, Position } from "@xyflow/react";
import { memo } from "react";
import { useStudio } from "../../state/session";

interface PortProps {
  node: string;
  side: "in" | "out";
  name: string;
  type: string;
  top: number;
}

export const Port = memo(function Port({ node, side, name, type, top }: PortProps) {
  const connected = useStudio((s) =>
    s.history.present.edges.some((e) =>
      side === "in"
        ? e.target === node && e.targetHandle === name
        : e.source === node && e.sourceHandle === name,
    ),
  );
  const words = `${name} ${side === "in" ? "input" : "output"}`;
  return (
    <Handle
      type={side === "in" ? "target" : "source"}
      position={side === "in" ? Position.Left : Position.Right}
      id={name}
      className={`em-port em-port-${type}`}
      style={{ top }}
      data-connected={connected || undefined}
      title={words}
      aria-label={words}
    />
  );
});
