/**
 * A snapshot comes whole and anew. What it says again keeps its identity, so that only what
 * changed is drawn: a run that goes on does not render the nodes of the others.
 */
export function share<T>(before: unknown, now: T): T {
  if (Object.is(before, now) || !isObject(before) || !isObject(now)) return now;
  if (Array.isArray(before) !== Array.isArray(now)) return now;
  const keys = Object.keys(now);
  const entries = keys.map((key) => [key, share(before[key], now[key])] as const);
  const unchanged =
    keys.length === Object.keys(before).length &&
    entries.every(([key, value]) => key in before && Object.is(value, before[key]));
  if (unchanged) return before as T;
  return (
    Array.isArray(now) ? entries.map(([, value]) => value) : Object.fromEntries(entries)
  ) as T;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;
