/** A row dragged to another place of the list, by mouse or pen; by keyboard it is Alt and an arrow. */
import { type PointerEvent, type RefObject, useEffect, useRef, useState } from "react";
import { landing } from "../../logic/project-list";

const SLOP = 5; // pixels before a press is a drag
const EDGE = 24;
const SCROLL = 8;

export interface Drag {
  id: string;
  /** The row it would land before, null for the end; undefined: it stays. */
  before: string | null | undefined;
}

/** The line that shows where a dragged row would land. */
export function landsAt(before: string | null | undefined, id: string, last: boolean) {
  if (before === id) return "before";
  return before === null && last ? "after" : null;
}

/** `move` is called with what is let go; `enabled` is false while the list is searched. */
export function useReorder(
  list: RefObject<HTMLElement | null>,
  enabled: boolean,
  move: (id: string, before: string | null) => void,
) {
  const [drag, setDrag] = useState<Drag | null>(null);
  const press = useRef<{ id: string; y: number } | null>(null);
  const dragged = useRef(false);

  const rows = () => [...(list.current?.querySelectorAll<HTMLElement>("[data-row]") ?? [])];
  const look = (id: string, y: number): Drag => {
    const all = rows();
    const middles = all.map((row) => {
      const box = row.getBoundingClientRect();
      return box.top + box.height / 2;
    });
    return {
      id,
      before: landing(
        all.map((row) => row.dataset.row ?? ""),
        middles,
        id,
        y,
      ),
    };
  };
  const end = () => {
    press.current = null;
    setDrag(null);
  };
  useEffect(() => {
    if (!drag) return;
    const cancel = (e: KeyboardEvent) => {
      if (e.key !== "Escape") return;
      e.stopPropagation();
      press.current = null;
      setDrag(null);
    };
    window.addEventListener("keydown", cancel, true);
    return () => window.removeEventListener("keydown", cancel, true);
  }, [drag]);

  return {
    drag,
    handlers: {
      onPointerDown(e: PointerEvent<HTMLElement>) {
        dragged.current = false;
        const target = e.target as Element;
        if (!enabled || e.button !== 0 || e.pointerType === "touch") return;
        if (target.closest("input, .em-project-more, .em-queue-item button")) return;
        const id = target.closest<HTMLElement>("[data-row]")?.dataset.row;
        if (id) press.current = { id, y: e.clientY };
      },
      onPointerMove(e: PointerEvent<HTMLElement>) {
        const from = press.current;
        if (!from || (!drag && Math.abs(e.clientY - from.y) < SLOP)) return;
        if (!drag) e.currentTarget.setPointerCapture(e.pointerId);
        dragged.current = true;
        const box = e.currentTarget.getBoundingClientRect();
        if (e.clientY < box.top + EDGE) e.currentTarget.scrollTop -= SCROLL;
        if (e.clientY > box.bottom - EDGE) e.currentTarget.scrollTop += SCROLL;
        setDrag(look(from.id, e.clientY));
      },
      onPointerUp() {
        if (drag && drag.before !== undefined) move(drag.id, drag.before);
        end();
      },
      onPointerCancel: end,
      /** Letting go of a row is no click on it. */
      onClickCapture(e: { stopPropagation: () => void; preventDefault: () => void }) {
        if (!dragged.current) return;
        dragged.current = false;
        e.stopPropagation();
        e.preventDefault();
      },
    },
  };
}
