/** Notes, and nodes of a type this version does not know, which are kept as they are. */
import type { NodeProps } from "@xyflow/react";
import { memo } from "react";
import { show } from "../../logic/fields";
import { fieldValue } from "../../logic/graph";
import { useActions } from "../../state/session";
import { NodeFrame, useNode } from "./NodeFrame";

export const NoteNode = memo(function NoteNode({ id }: NodeProps) {
  const node = useNode(id);
  const { setField } = useActions();
  if (!node) return null;
  return (
    <NodeFrame node={node} icon="note" className="em-note">
      <textarea
        className="em-input em-lines nodrag nokey nowheel"
        aria-label="Note"
        data-testid="field-text"
        rows={3}
        value={show(fieldValue(node, "text"))}
        onChange={(e) => setField(id, { text: e.target.value }, true)}
      />
    </NodeFrame>
  );
});

export const UnknownNode = memo(function UnknownNode({ id }: NodeProps) {
  const node = useNode(id);
  if (!node) return null;
  return (
    <NodeFrame node={node} icon="unknown" className="em-unknown">
      <p className="em-folded">
        This version does not know the node type "{node.type}". It is kept as it is.
      </p>
    </NodeFrame>
  );
});
