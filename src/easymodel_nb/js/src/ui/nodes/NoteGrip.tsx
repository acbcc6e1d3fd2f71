/** The corner that a note is made larger by: dragged, or with the arrow keys on it. */
import { useStoreApi } from "@xyflow/react";
import { type KeyboardEvent, type PointerEvent, useRef } from "react";
import type { NoteSize } from "../../logic/note-size";
import { useActions } from "../../state/session";

const STEP = 16;
const FAR = 5;
const WAYS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

interface GripProps {
  id: string;
  size: NoteSize;
  /** What is drawn while the hand still holds it; null: what the document says. */
  onDraft: (size: NoteSize | null) => void;
}

export function NoteGrip({ id, size, onDraft }: GripProps) {
  const { resizeNote } = useActions();
  const flow = useStoreApi();
  const press = useRef<{ x: number; y: number; size: NoteSize } | null>(null);
  const drawn = useRef<NoteSize | null>(null);

  const end = () => {
    press.current = null;
    drawn.current = null;
    onDraft(null);
  };
  const onPointerDown = (e: PointerEvent<HTMLButtonElement>) => {
    if (e.button !== 0) return;
    e.currentTarget.setPointerCapture(e.pointerId);
    press.current = { x: e.clientX, y: e.clientY, size };
  };
  const onPointerMove = (e: PointerEvent) => {
    const from = press.current;
    if (!from) return;
    const zoom = flow.getState().transform[2];
    drawn.current = {
      width: from.size.width + (e.clientX - from.x) / zoom,
      height: from.size.height + (e.clientY - from.y) / zoom,
    };
    onDraft(drawn.current);
  };
  const onPointerUp = () => {
    if (drawn.current) resizeNote(id, drawn.current);
    end();
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key === "Escape" && press.current) end();
    const way = WAYS[e.key];
    if (!way) return;
    const by = STEP * (e.shiftKey ? FAR : 1);
    resizeNote(id, { width: size.width + way[0] * by, height: size.height + way[1] * by }, true);
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <button
      type="button"
      className="em-note-grip nodrag nopan"
      data-testid="note-grip"
      aria-label={`Size of the note, ${size.width} by ${size.height}: arrow keys change it`}
      title="Drag to resize"
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={end}
      onKeyDown={onKeyDown}
      onClick={(e) => e.stopPropagation()}
    >
      <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
        <path d="M9 1 1 9M9 5.5 5.5 9" />
      </svg>
    </button>
  );
}
