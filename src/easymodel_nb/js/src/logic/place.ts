/** Where a new node goes: as near as possible to where the user looks, over no other node. */
import type { Position } from "../protocol";
import type { Size } from "./layout";

export type Box = Position & Size;

const GAP = 24;
const STEP = 24;
const REACH = 80; // steps to each side

/** What a node of a type will need, before it was drawn. */
export const ROOM: Record<string, Size> = {
  model: { width: 232, height: 150 },
  dataset: { width: 232, height: 230 },
  finetune: { width: 336, height: 470 },
  note: { width: 200, height: 130 },
};

const shared = (from: number, length: number, other: number, otherLength: number) =>
  Math.max(0, Math.min(from + length, other + otherLength) - Math.max(from, other));

/** Which of these places covers least of what is there; the first of equals. */
export function leastCovering(places: readonly Box[], there: readonly Box[]): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const [i, a] of places.entries()) {
    const covered = there.reduce(
      (sum, b) => sum + shared(a.x, a.width, b.x, b.width) * shared(a.y, a.height, b.y, b.height),
      0,
    );
    if (covered < least) [best, least] = [i, covered];
  }
  return best;
}

const apart = (a: Box, b: Box) =>
  a.x + a.width + GAP <= b.x ||
  b.x + b.width + GAP <= a.x ||
  a.y + a.height + GAP <= b.y ||
  b.y + b.height + GAP <= a.y;

/** Of a node of a type that is not known here. */
export const PLAIN = { width: 232, height: 120 };

/** The free spot nearest to `wish`, for a type of node or a size; `wish` where none is in reach. */
export function freeSpot(taken: Box[], of: string | Size, wish: Position): Position {
  const size = typeof of === "string" ? (ROOM[of] ?? PLAIN) : of;
  let best: Position | null = null;
  let nearest = Number.POSITIVE_INFINITY;
  for (let dy = -REACH; dy <= REACH; dy += 1) {
    for (let dx = -REACH; dx <= REACH; dx += 1) {
      const away = dx * dx + dy * dy;
      if (away >= nearest) continue;
      const spot = { x: Math.round(wish.x + dx * STEP), y: Math.round(wish.y + dy * STEP) };
      if (taken.every((box) => apart({ ...spot, ...size }, box))) {
        best = spot;
        nearest = away;
      }
    }
  }
  return best ?? { x: Math.round(wish.x), y: Math.round(wish.y) };
}
