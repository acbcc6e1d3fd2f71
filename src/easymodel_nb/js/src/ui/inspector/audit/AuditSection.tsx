/** The gate whole: the verdict, what it found, and every figure it was made from. */
import * as gate from "../../../logic/audit";
import { choices } from "../../../logic/plan";
import type { Audit, Node, Problem } from "../../../protocol";
import { Choices } from "../../Choices";
import { useAudit, useVerdict } from "../../gate";
import { Accept, ProblemLine } from "../../Problem";
import { Section } from "../Section";
import { Classes } from "./Classes";
import { Examples } from "./Examples";
import { Figures } from "./Figures";
import { FitPart } from "./FitPart";
import { Lengths } from "./Lengths";
import { Part } from "./Part";

export function AuditSection({ node }: { node: Node }) {
  const audit = useAudit(node.id);
  const [sign, word, rest] = useVerdict(node);
  return (
    <Section title="Before training" part="audit">
      <div className="em-audit" data-testid="audit-section" data-state={audit?.state ?? "none"}>
        <p className={`em-verdict${sign ? ` em-sign-${sign}` : ""}`}>
          <b>{word}</b>
          <span className="em-muted">{rest}</span>
        </p>
        {audit?.state === "done" ? (
          <Done node={node} audit={audit} />
        ) : (
          <p className="em-muted" data-testid="audit-why">
            {audit?.state === "unknown" && `${audit.message} `}
            {UNKNOWN[audit?.state ?? "none"]}
          </p>
        )}
      </div>
    </Section>
  );
}

const UNKNOWN: Record<Audit["state"], string> = {
  none: "Once a model and a dataset are connected and nothing is marked in red, the rows, the tokens and what would be cut off are counted here. The model is not loaded for it.",
  waiting: "Counting starts in a moment. You can train without waiting for it.",
  checking: "The model's tokenizer is counting the texts. You can train without waiting for it.",
  unknown: "Rows and tokens are therefore not known. You can still train.",
  done: "",
};

function Done({ node, audit }: { node: Node; audit: Audit }) {
  return (
    <>
      {audit.variant && (
        <p className="em-muted" data-testid="audit-variant">
          This is the run of {audit.variant}, whose verdict is the worst of the sweep's {audit.runs}{" "}
          runs. Time and memory are those of its heaviest run.
        </p>
      )}
      <Found problems={gate.found(audit)} node={node} />
      <FitPart node={node} audit={audit} />
      <Figures audit={audit} />
      <Lengths audit={audit} />
      <Classes classes={audit.classes} />
      <Examples examples={audit.examples} unit={audit.learned_unit} />
      {audit.choices.length > 0 && (
        <Part title="Chosen for you">
          <Choices rows={choices({ choices: audit.choices })} />
        </Part>
      )}
    </>
  );
}

/** All that was found, with its fix; a warning with its tick. */
function Found({ problems, node }: { problems: Problem[]; node: Node }) {
  if (problems.length === 0) return null;
  return (
    <ul data-testid="audit-problems">
      {problems.map((p) => (
        <li key={p.code + p.message}>
          <ProblemLine problem={{ ...p, node: p.node ?? node.id }} />
          {p.severity === "ask" && <Accept node={node} code={p.code} />}
        </li>
      ))}
    </ul>
  );
}
