/** A problem as a sentence, with the click that removes it. */
import type { Problem } from "../protocol";
import { useActions, useStudio } from "../state/session";
import { Icon } from "./icons";

export function ProblemLine({ problem, id }: { problem: Problem; id?: string }) {
  const { fix } = useActions();
  const lost = useStudio((s) => s.lostSince !== null);
  const needsKernel = Boolean(problem.fix?.command);
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
        {problem.message}{" "}
        {problem.fix && (
          <button
            type="button"
            className="em-button em-link nodrag"
            disabled={needsKernel && lost}
            onClick={(e) => {
              e.stopPropagation();
              void fix(problem);
            }}
          >
            {problem.fix.label}
          </button>
        )}
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
