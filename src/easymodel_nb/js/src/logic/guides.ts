/** Where what is dragged lines up with what lies still: how far to go there, and lines that show it. */
import type { Box } from "./place";

/** Across the canvas at `at` of its axis, from one to the other end of what lines up. */
export interface Line {
  axis: "x" | "y";
  at: number;
  from: number;
  to: number;
}
export interface Guides {
  dx: number;
  dy: number;
  lines: Line[];
}

const CLOSE = 0.5; // what rounding to whole pixels may leave

interface Span {
  start: number;
  length: number;
}
const along = (box: Box, axis: Line["axis"]): Span =>
  axis === "x" ? { start: box.x, length: box.width } : { start: box.y, length: box.height };
const edges = ({ start, length }: Span) => [start, start + length];
const middle = ({ start, length }: Span) => start + length / 2;

/** Each way from one to the other: an edge to an edge, a middle to a middle. */
function ways(moving: Span, still: Span): number[] {
  const pairs = edges(moving).flatMap((a) => edges(still).map((b) => b - a));
  return [...pairs, middle(still) - middle(moving)];
}

/** The shortest way on one axis, at most `within`; 0 when nothing is near. */
function nearest(moving: Span, still: Span[], within: number): number | null {
  let best: number | null = null;
  for (const way of still.flatMap((s) => ways(moving, s))) {
    if (Math.abs(way) <= Math.min(within, Math.abs(best ?? within))) best = way;
  }
  return best;
}

/** The lines on which the box now lies, one for each place. */
function linesOf(moving: Box, others: Box[], axis: Line["axis"]): Line[] {
  const own = along(moving, axis);
  const across = axis === "x" ? "y" : "x";
  const found = new Map<number, Line>();
  for (const other of others) {
    const its = along(other, axis);
    const sides = edges(own).filter((a) => edges(its).some((b) => Math.abs(a - b) <= CLOSE));
    const centred = Math.abs(middle(own) - middle(its)) <= CLOSE;
    const at = sides.length === 0 && centred ? [middle(own)] : sides; // sides say it already
    for (const place of at) {
      const line = found.get(place);
      const ends = [
        ...edges(along(moving, across)),
        ...edges(along(other, across)),
        ...(line ? [line.from, line.to] : []),
      ];
      found.set(place, { axis, at: place, from: Math.min(...ends), to: Math.max(...ends) });
    }
  }
  return [...found.values()];
}

/** `within`: how near is near enough to be drawn there; nothing is when it is 0. */
export function guides(moving: Box, others: Box[], within: number): Guides {
  const way = (axis: Line["axis"]) => {
    const still = others.map((other) => along(other, axis));
    return (within > 0 && nearest(along(moving, axis), still, within)) || 0;
  };
  const [dx, dy] = [way("x"), way("y")];
  const there = { ...moving, x: moving.x + dx, y: moving.y + dy };
  return { dx, dy, lines: [...linesOf(there, others, "x"), ...linesOf(there, others, "y")] };
}
