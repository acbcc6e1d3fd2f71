/** Notes, and nodes of a type this version does not know, which are kept as they are. */
import type { NodeProps } from "@xyflow/react";
import { memo, useLayoutEffect, useRef, useState } from "react";
import { show } from "../../logic/fields";
import { fieldValue } from "../../logic/graph";
import { type NoteSize, noteSize } from "../../logic/note-size";
import { useActions } from "../../state/session";
import { together } from "../together";
import { NodeFrame, sameId, useNode } from "./NodeFrame";
import { NoteGrip } from "./NoteGrip";

const AROUND = 18; // margins and borders

export const NoteNode = memo(function NoteNode({ id }: NodeProps) {
  const node = useNode(id);
  const { setNote } = useActions();
  const area = useRef<HTMLTextAreaElement>(null);
  const text = node ? show(fieldValue(node, "text")) : "";
  const [draft, setDraft] = useState<NoteSize | null>(null);
  const size = noteSize(node);
  const { width, height } = draft ?? size;
  // As high as its text; browsers that can do so by themselves are too new to count on.
  // biome-ignore lint/correctness/useExhaustiveDependencies: text and width are what change the height
  useLayoutEffect(() => {
    const { current } = area;
    if (!current) return;
    together({
      ready: () => {
        current.style.height = "auto";
      },
      read: () => current.scrollHeight,
      set: (high) => {
        current.style.height = `${high}px`;
      },
    });
  }, [text, width]);
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
        style={{ width: width - AROUND, minHeight: height }}
        onChange={(e) => setNote(id, e.target.value)}
      />
      <NoteGrip id={id} size={size} onDraft={setDraft} />
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
