/** The gate in the node: verdict, five cells, and at most one warning with its fix or tick. */
import * as gate from "../../logic/audit";
import type { Audit, Cell, Node } from "../../protocol";
import { useActions, useStudio } from "../../state/session";
import { useAudit, useVerdict } from "../gate";
import { Icon } from "../icons";
import { Accept, FixButton } from "../Problem";

/** `brief`: only while something keeps the node from training, and without the cells. */
export function Strip({ node, brief = false }: { node: Node; brief?: boolean }) {
  const audit = useAudit(node.id);
  const accept = gate.accepted(node);
  const [sign, word, rest] = useVerdict(node);
  if (brief && sign !== "red" && sign !== "amber") return null;
  return (
    <section
      className="em-strip"
      data-testid="audit"
      data-state={audit?.state ?? "none"}
      data-verdict={sign ?? undefined}
      aria-label="Checked before training"
    >
      <p className="em-verdict" title={rest || undefined}>
        <SignOf sign={sign} />
        <b>{word}</b>
        <span className="em-ellipsis em-grow">{rest}</span>
      </p>
      {!brief && (
        <div className="em-cells">
          {gate.CELLS.map(([name, label]) => (
            <Figure key={name} node={node.id} name={name} label={label} audit={audit} />
          ))}
        </div>
      )}
      <Line node={node} audit={audit} accept={accept} />
      {audit?.state === "unknown" && <p className="em-strip-why">{audit.message}</p>}
    </section>
  );
}

function SignOf({ sign }: { sign: gate.Sign | null }) {
  if (!sign) return null;
  const icon = ({ green: "check", amber: "warn", red: "alert" } as const)[sign];
  return (
    <span className={`em-sign-${sign}`}>
      <Icon name={icon} size={14} />
    </span>
  );
}

interface FigureProps {
  node: string;
  name: Cell["name"];
  label: string;
  audit: Audit | undefined;
}

/** One figure; a press opens all of it, and Check measures what only a try can tell. */
function Figure({ node, name, label, audit }: FigureProps) {
  const { inspect, measure } = useActions();
  const lost = useStudio((s) => s.lostSince !== null);
  const cell = gate.cell(audit, name);
  const todo = gate.measuring(audit, name);
  const text = gate.narrow(cell?.text ?? "") || (todo && todo !== "check" ? todo : "–");
  return (
    <div className="em-cell" data-cell={name} data-sign={cell?.sign ?? undefined}>
      <button
        type="button"
        className="em-cell-open nodrag"
        data-testid={`cell-${name}`}
        title={cell?.why || undefined}
        aria-label={`${label}: ${cell?.text || (text === "–" ? "not known yet" : text)}. Show all of the audit.`}
        onClick={(e) => {
          e.stopPropagation();
          inspect(node, "audit");
        }}
      >
        <span className="em-cell-name">{label}</span>
        <span className="em-cell-value">
          {cell?.sign && <Mark sign={cell.sign} />}
          <span className={cell?.text ? undefined : "em-muted"}>{text}</span>
        </span>
      </button>
      {todo === "check" && (
        <button
          type="button"
          className="em-button em-link em-check nodrag"
          data-testid={`check-${name}`}
          disabled={lost}
          title="Load the model and measure two steps on the longest batch"
          onClick={(e) => {
            e.stopPropagation();
            void measure(node);
          }}
        >
          Check
        </button>
      )}
    </div>
  );
}

/** Green dot, amber triangle, red square: the shape says it without the colour. */
export function Mark({ sign }: { sign: gate.Sign }) {
  return (
    <svg className={`em-mark em-sign-${sign}`} viewBox="0 0 8 8" width="8" height="8" role="img">
      <title>{SAID[sign]}</title>
      <path d={SHAPE[sign]} />
    </svg>
  );
}
const SAID = { green: "good", amber: "look at this", red: "stops the run" };
const SHAPE = {
  green: "M4 1a3 3 0 1 1 0 6 3 3 0 0 1 0-6z",
  amber: "M4 .5 8 7.5H0z",
  red: "M.8.8h6.4v6.4H.8z",
};

interface LineProps {
  node: Node;
  audit: Audit | undefined;
  accept: string[];
}

function Line({ node, audit, accept }: LineProps) {
  const { inspect } = useActions();
  const problem = gate.warning(audit, accept);
  if (!problem) return null;
  const more = gate.others(audit, accept);
  return (
    <div
      className={`em-strip-line em-strip-${problem.severity}`}
      data-testid="audit-warning"
      data-code={problem.code}
    >
      <Icon name={problem.severity === "error" ? "alert" : "warn"} size={14} />
      <span className="em-grow" title={problem.message}>
        {gate.brief(problem.message)}{" "}
        {more > 0 && (
          <button
            type="button"
            className="em-button em-link nodrag"
            onClick={(e) => {
              e.stopPropagation();
              inspect(node.id, "audit");
            }}
          >
            {more} more
          </button>
        )}
      </span>
      <span className="em-strip-acts">
        <FixButton problem={problem} node={node.id} />
        {problem.severity === "ask" && <Accept node={node} code={problem.code} />}
      </span>
    </div>
  );
}
