/** The token-length histogram: where its bars and the line of max_length stand. */
import type { Bar } from "../protocol";

export interface Drawn {
  bars: { x: number; y: number; width: number; height: number; over: boolean; bar: Bar }[];
  /** Where max_length lies; null when it lies beyond the longest text. */
  line: number | null;
  ticks: { x: number; value: number }[];
}

const GAP = 1;

/**
 * Bars of equal kind on a linear axis of tokens, in a box of `width` by `height`. A bar that
 * the line goes through counts as beyond it: some of its texts are cut.
 */
export function histogram(
  lengths: Bar[],
  limit: number | null,
  width: number,
  height: number,
): Drawn {
  const low = lengths[0]?.low ?? 0;
  const high = (lengths.at(-1)?.high ?? 0) + 1;
  const most = Math.max(1, ...lengths.map((b) => b.count));
  const at = (tokens: number) => ((tokens - low) / Math.max(1, high - low)) * width;
  const filled = lengths.filter((bar) => bar.count > 0);
  const bars = filled.map((bar) => {
    // A count of one among thousands is still seen.
    const tall = Math.max(1.5, (bar.count / most) * height);
    const [x, end] = [at(bar.low), at(bar.high + 1)];
    return {
      x,
      y: height - tall,
      width: Math.max(1, end - x - GAP),
      height: tall,
      over: limit !== null && bar.high > limit,
      bar,
    };
  });
  const line = limit !== null && limit + 1 < high && limit >= low ? at(limit + 1) : null;
  return { bars, line, ticks: ticks(low, high - 1).map((value) => ({ value, x: at(value) })) };
}

/** Three to five round numbers between two. */
export function ticks(low: number, high: number): number[] {
  const rough = Math.max(1, (high - low) / 4);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? rough;
  const first = Math.ceil(low / step) * step;
  const n = Math.max(0, Math.floor((high - first) / step) + 1);
  return Array.from({ length: n }, (_, i) => first + i * step);
}

/** The share of texts that are longer than the limit: exact where a bar ends at it, else null. */
export function beyond(lengths: Bar[], limit: number): number | null {
  const all = lengths.reduce((sum, b) => sum + b.count, 0);
  if (all === 0 || lengths.some((b) => b.low <= limit && limit < b.high)) return null;
  return lengths.reduce((sum, b) => sum + (b.low > limit ? b.count : 0), 0) / all;
}
