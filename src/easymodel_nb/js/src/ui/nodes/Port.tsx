/** A handle: round carries a model, square a dataset; filled when connected. */
import { Handle, Position } from "@xyflow/react";
import { memo } from "react";
import { portKey } from "../../logic/fits";
import { edgesFrom, edgesInto } from "../../logic/lookup";
import { useStudio } from "../../state/session";
import { useViewState } from "../view";

interface PortProps {
  node: string;
  side: "in" | "out";
  name: string;
  type: string;
  top: number;
}

export const Port = memo(function Port({ node, side, name, type, top }: PortProps) {
  const connected = useStudio((s) =>
    side === "in"
      ? edgesInto(s.history.present.edges, node).some((e) => e.targetHandle === name)
      : edgesFrom(s.history.present.edges, node).some((e) => e.sourceHandle === name),
  );
  // While a connection is drawn, what fits grows and the rest steps back.
  const fits = useViewState((s) => {
    if (!s.fits) return undefined;
    const end = { node, handle: name, side: side === "in" ? "target" : "source" } as const;
    return s.fits.has(portKey(end));
  });
  const words = `${name} ${side === "in" ? "input" : "output"}`;
  return (
    <Handle
      type={side === "in" ? "target" : "source"}
      position={side === "in" ? Position.Left : Position.Right}
      id={name}
      className={`em-port em-port-${type}`}
      style={{ top }}
      data-connected={connected || undefined}
      data-fits={fits}
      title={words}
      role="img"
      aria-label={words}
    />
  );
});
