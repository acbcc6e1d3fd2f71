/** The loss sparkline as an SVG path. */
export interface Spark {
  path: string;
  last: { x: number; y: number };
}

const LOG_FROM = 20;

/** Log scale when the largest is over 20 times the smallest. */
export function spark(values: number[], width: number, height: number): Spark | null {
  const points = values.filter(Number.isFinite);
  if (points.length < 2) return null;
  const [min, max] = [Math.min(...points), Math.max(...points)];
  const log = min > 0 && max / min > LOG_FROM;
  const scale = (v: number) => (log ? Math.log(v) : v);
  const [low, span] = [scale(min), scale(max) - scale(min) || 1];
  const pad = 3;
  const at = points.map((v, i) => ({
    x: pad + (i / (points.length - 1)) * (width - 2 * pad),
    y: height - pad - ((scale(v) - low) / span) * (height - 2 * pad),
  }));
  const path = at.map((p, i) => `${i ? "L" : "M"}${p.x.toFixed(1)} ${p.y.toFixed(1)}`).join("");
  return { path, last: at.at(-1) as { x: number; y: number } };
}
