/** Where two sides changed the same thing, and whose is taken. */

export type Choice = "mine" | "theirs";

export interface Clash {
  /** The node it is about; null for the document itself. */
  node: string | null;
  /** A field of it, an input of it, or null where one side deleted it and the other edited it. */
  field: string | null;
  mine: unknown;
  theirs: unknown;
}
export const DELETED = "deleted";
export const EDITED = "edited";

/** Notes a clash and says whose side is taken. */
export type Ask = (clash: Clash) => Choice;

/** Whose value stands; null where both changed it and differ. */
export function decide<T>(
  bases: T[],
  mine: T,
  theirs: T,
  equal: (a: T, b: T) => boolean,
): Choice | null {
  if (equal(mine, theirs) || bases.some((b) => equal(b, theirs))) return "mine";
  return bases.every((b) => equal(b, mine)) ? "theirs" : null;
}
