/** How long the texts are, in tokens, with the line where max_length cuts. */
import { count, share } from "../../../logic/format";
import { beyond, histogram } from "../../../logic/histogram";
import type { Audit } from "../../../protocol";
import { Part } from "./Part";

const WIDTH = 292;
const HEIGHT = 72;
const TOP = 18;
const BOTTOM = 18;

export function Lengths({ audit }: { audit: Audit }) {
  const { lengths, max_length: limit } = audit;
  if (lengths.length === 0) return null;
  const drawn = histogram(lengths, limit, WIDTH, HEIGHT);
  const words = told(audit);
  const right = drawn.line !== null && drawn.line > WIDTH / 2;
  return (
    <Part title="Length of the texts, in tokens">
      <svg
        className="em-histogram"
        data-testid="audit-lengths"
        viewBox={`0 ${-TOP} ${WIDTH} ${TOP + HEIGHT + BOTTOM}`}
        role="img"
        aria-label={words}
      >
        <defs>
          <pattern id="em-over" width="4" height="4" patternUnits="userSpaceOnUse">
            <path className="em-over-line" d="M-1 1 1-1M0 4 4 0M3 5 5 3" />
          </pattern>
        </defs>
        {drawn.bars.map(({ bar, over, ...box }) => (
          <rect key={bar.low} className={over ? "em-bin em-bin-over" : "em-bin"} {...box}>
            <title>{`${bar.low} to ${bar.high} tokens: ${count(bar.count)} texts`}</title>
          </rect>
        ))}
        <line className="em-axis" x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
        {drawn.ticks.map(({ x, value }) => (
          <text
            key={value}
            x={x}
            y={HEIGHT + 14}
            textAnchor={x < 8 ? "start" : x > WIDTH - 16 ? "end" : "middle"}
          >
            {count(value)}
          </text>
        ))}
        {drawn.line !== null && (
          <>
            <line className="em-limit" x1={drawn.line} x2={drawn.line} y1={-TOP} y2={HEIGHT} />
            <text
              x={drawn.line + (right ? -4 : 4)}
              y={-TOP + 10}
              textAnchor={right ? "end" : "start"}
            >
              max length {count(limit ?? 0)}
            </text>
          </>
        )}
      </svg>
      <p>{words}</p>
    </Part>
  );
}

/** The same in words. */
function told({ lengths, max_length, median_length, longest, cut_share, cut_rows }: Audit): string {
  const parts = [];
  if (median_length !== null) parts.push(`Half are up to ${count(median_length)} tokens long.`);
  if (longest !== null) parts.push(`The longest has ${count(longest)}.`);
  if (max_length !== null) {
    const over = cut_share ?? beyond(lengths, max_length);
    if (cut_rows === 0 || over === 0) {
      parts.push(`All fit in the max length of ${count(max_length)}.`);
    } else if (over !== null) {
      parts.push(`${share(over)} are longer than the max length of ${count(max_length)}.`);
    }
  }
  return parts.join(" ");
}
