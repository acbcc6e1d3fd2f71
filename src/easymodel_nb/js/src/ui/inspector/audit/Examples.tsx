/** Training examples as the model gets them: what is learned, what is only read, what is cut. */
import { count } from "../../../logic/format";
import type { Rendered, Span } from "../../../protocol";
import { Part } from "./Part";

const WORDS: Record<Span["kind"], string> = {
  learned: "learned",
  read: "read only",
  cut: "cut off",
};

export function Examples({ examples }: { examples: Rendered[] }) {
  if (examples.length === 0) return null;
  return (
    <Part title="As the model gets it">
      <p className="em-key">
        {(["learned", "read", "cut"] as const).map((kind) => (
          <span key={kind} className={`em-span-${kind}`}>
            {WORDS[kind]}
          </span>
        ))}
      </p>
      {examples.map((example, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: examples have no other identity
        <div key={i} data-testid="audit-example">
          <div className="em-example nowheel" dir="auto">
            {example.spans.map((span, j) => (
              <span
                // biome-ignore lint/suspicious/noArrayIndexKey: nor have their stretches
                key={j}
                className={`em-span-${span.kind}`}
                data-kind={span.kind}
                title={WORDS[span.kind]}
              >
                {span.text}
              </span>
            ))}
          </div>
          <p>
            {count(example.tokens)} tokens, {count(example.learned)} learned
          </p>
        </div>
      ))}
    </Part>
  );
}
