/** Training loss so far; the numbers stand beside it. */
import { memo } from "react";
import { spark } from "../../logic/spark";

const WIDTH = 320;
const HEIGHT = 40;

export const Sparkline = memo(function Sparkline({ values }: { values: number[] }) {
  const drawn = spark(values, WIDTH, HEIGHT);
  if (!drawn) return null;
  return (
    <svg
      className="em-spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`Training loss, ${values.length} points`}
    >
      <line className="em-spark-base" x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
      <path className="em-spark-line" d={drawn.path} />
      <circle className="em-spark-last" cx={drawn.last.x} cy={drawn.last.y} r="2.5" />
    </svg>
  );
});
