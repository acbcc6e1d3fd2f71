/** Notes, and nodes of a type this version does not know, which are kept as they are. */
import type { NodeProps } from "@xyflow/react";
import { memo, useLayoutEffect, useRef } from "react";
import { show } from "../../logic/fields";
import { fieldValue } from "../../logic/graph";
import { useActions } from "../../state/session";
import { NodeFrame, sameId, useNode } from "./NodeFrame";

export const NoteNode = memo(function NoteNode({ id }: NodeProps) {
  const node = useNode(id);
  const { setNote } = useActions();
  const area = useRef<HTMLTextAreaElement>(null);
  const text = node ? show(fieldValue(node, "text")) : "";
  // As high as its text; browsers that can do so by themselves are too new to count on.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text is what changes the height
  useLayoutEffect(() => {
    const { current } = area;
    if (!current) return;
    current.style.height = "auto";
    current.style.height = `${current.scrollHeight}px`;
  }, [text]);
  if (!node) return null;
  return (
    <NodeFrame node={node} icon="note" className="em-note">
      <textarea
        ref={area}
        className="em-note-text nodrag nokey nowheel"
        aria-label="Note"
        data-testid="field-text"
        placeholder="Write a note"
        rows={3}
        value={text}
        onChange={(e) => setNote(id, e.target.value)}
      />
    </NodeFrame>
  );
}, sameId);

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
}, sameId);
