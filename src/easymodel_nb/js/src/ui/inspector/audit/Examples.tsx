/** Training examples as the model gets them: what is learned, what is only read, what is cut. */
import { count } from "../../../logic/format";
import type { Audit, Rendered, Span } from "../../../protocol";
import { Part } from "./Part";

const WORDS: Record<Span["kind"], string> = {
  learned: "learned",
  read: "read only",
  cut: "cut off",
};

interface ExamplesProps {
  examples: Rendered[];
  unit: Audit["learned_unit"];
}

export function Examples({ examples, unit }: ExamplesProps) {
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
          {example.answer && (
            <p className="em-answer" dir="auto">
              <span className="em-span-learned" data-kind="learned">
                {example.answer}
              </span>
            </p>
          )}
          <p>
            {count(example.tokens)} tokens
            {unit === "labels" ? ", the label is learned" : `, ${count(example.learned)} learned`}
          </p>
        </div>
      ))}
    </Part>
  );
}
