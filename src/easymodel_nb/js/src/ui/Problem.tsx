/** A problem as a sentence, with the click that removes it. */
import { accepted } from "../logic/audit";
import type { Node, Problem } from "../protocol";
import { useActions, useStudio } from "../state/session";
import { Icon } from "./icons";

/** The click that removes a problem; one without a node of its own is `node`'s. */
export function FixButton({ problem, node }: { problem: Problem; node?: string }) {
  const { fix } = useActions();
  const lost = useStudio((s) => s.lostSince !== null);
  if (!problem.fix) return null;
  return (
    <button
      type="button"
      className="em-button em-link nodrag"
      data-testid="fix"
      disabled={Boolean(problem.fix.command) && lost}
      onClick={(e) => {
        e.stopPropagation();
        void fix({ ...problem, node: problem.node ?? node ?? null });
      }}
    >
      {problem.fix.label}
    </button>
  );
}

/** The tick that takes a warning of the gate on. */
export function Accept({ node, code }: { node: Node; code: string }) {
  const { accept } = useActions();
  return (
    <label className="em-accept nodrag nokey">
      <input
        type="checkbox"
        data-testid="accept"
        data-code={code}
        checked={accepted(node).includes(code)}
        onClick={(e) => e.stopPropagation()}
        onChange={() => accept(node.id, code)}
      />
      accept
    </label>
  );
}

export function ProblemLine({ problem, id }: { problem: Problem; id?: string }) {
  return (
    <p
      id={id}
      className={`em-problem em-problem-${problem.severity}`}
      data-testid="problem"
      data-field={problem.field ?? undefined}
      data-code={problem.code}
    >
      <Icon name={problem.severity === "error" ? "alert" : "warn"} size={12} />
      <span className="em-grow">
        {problem.message} <FixButton problem={problem} />
      </span>
    </p>
  );
}

/** The problems of one field of one node. */
export function FieldProblems({ id, problems }: { id: string; problems: Problem[] }) {
  if (problems.length === 0) return null;
  return (
    <div id={id} className="em-field-problems">
      {problems.map((p) => (
        <ProblemLine key={`${p.code}${p.message}`} problem={p} />
      ))}
    </div>
  );
}

/** Problems of the node as a whole, or of fields that are folded away. */
export function Loose({ problems, hidden }: { problems: Problem[]; hidden: boolean }) {
  const loose = problems.filter((p) => hidden || p.field === null);
  return loose.map((p) => <ProblemLine key={p.code + p.message} problem={p} />);
}
