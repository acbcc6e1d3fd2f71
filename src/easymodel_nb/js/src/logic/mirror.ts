/** What the sidebar says of the copy on a synced folder. */
import type { Mirror } from "../protocol";
import { clock, date } from "./format";

const DAY = 24 * 3600 * 1000;

export type MirrorState = "failed" | "asking" | "pending" | "saved";

export function mirrorState(mirror: Mirror): MirrorState {
  if (mirror.problem) return "failed";
  if (mirror.questions.length > 0) return "asking";
  return mirror.pending || !mirror.saved ? "pending" : "saved";
}

/** "Saved to Drive 14:02" */
export function mirrorLine(mirror: Mirror, now: number): string {
  switch (mirrorState(mirror)) {
    case "failed":
      return `Not saved to ${mirror.place}`;
    case "asking":
      return `Checkpoint to ${mirror.place}?`;
    case "pending":
      return `Saving to ${mirror.place}`;
    default:
      return `Saved to ${mirror.place} ${savedAt(mirror, now)}`;
  }
}

/** The time of day, or the day where it is another one. */
export function savedAt(mirror: Mirror, now: number): string {
  if (!mirror.saved) return "";
  const time = Date.parse(mirror.saved);
  const today = now - time < DAY && new Date(now).getDate() === new Date(time).getDate();
  return today ? clock(time).slice(0, 5) : date(mirror.saved).split(" ").slice(0, 2).join(" ");
}
