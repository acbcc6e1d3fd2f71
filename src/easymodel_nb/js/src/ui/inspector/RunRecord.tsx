/** One run of a node: what came of it, the plan that made it, and a way back to its settings. */
import { useEffect, useRef } from "react";
import { sentence } from "../../logic/dataset";
import { type Row, restored, settings, surroundings } from "../../logic/record";
import type { Node, RunCard } from "../../protocol";
import { useActions, useStudio } from "../../state/session";
import { Resume, Resumed } from "../nodes/Resume";
import { Button } from "../parts";
import { Destinations } from "./Destinations";
import { TakeAway } from "./TakeAway";

export function RunRecord({ run, node }: { run: RunCard; node: Node }) {
  const { loadDetails } = useActions();
  const details = useStudio((s) => s.details[run.id]);
  const asked = useRef("");
  // Asked again when the run has come further: a plan is there only once it was made.
  const mark = `${run.status}/${run.stage.stage}`;
  useEffect(() => {
    if (asked.current === mark) return;
    asked.current = mark;
    void loadDetails(run.id);
  }, [mark, run.id, loadDetails]);
  const known = details && "plan" in details ? details : null;
  return (
    <div className="em-run-details">
      <p>{run.headline ?? run.problem?.message ?? run.reason ?? run.summary}</p>
      {run.warnings.map((w) => (
        <p key={w.message} className="em-warn-text">
          {w.message}
        </p>
      ))}
      <Resumed run={run} />
      <Resume run={run} />
      <TakeAway run={run} />
      {details && "text" in details && <p className="em-err-text">{details.text}</p>}
      {known && <Plan node={node} record={known} />}
      {known?.destinations && <Destinations known={known.destinations} />}
      {known?.log.some((line) => line.trim()) && (
        <pre className="em-trace nowheel">{known.log.join("\n")}</pre>
      )}
    </div>
  );
}

type Known = { request: Record<string, unknown>; plan: Record<string, unknown> | null };

function Plan({ node, record }: { node: Node; record: Known }) {
  const { restoreRun } = useActions();
  const doc = useStudio((s) => s.history.present);
  const rows = [...surroundings(record, node, doc), ...settings(record, node)];
  const differing = rows.filter((r) => r.now !== null);
  const same = restored(doc, node.id, record) === doc;
  return (
    <div data-testid="run-plan">
      <div className="em-run-restore">
        <span className="em-grow">{told(differing.length)}</span>
        <Button testid="run-restore" disabled={same} onClick={() => restoreRun(node.id, record)}>
          Restore these settings
        </Button>
      </div>
      <Rows rows={[...differing, ...rows.filter((r) => r.now === null)]} />
    </div>
  );
}

const told = (differing: number): string =>
  differing === 0
    ? "The node holds the same settings now."
    : differing === 1
      ? "One setting differs from the node now."
      : `${differing} settings differ from the node now.`;

function Rows({ rows }: { rows: Row[] }) {
  return (
    <dl className="em-choices">
      {rows.map((row) => (
        <div key={row.name} data-name={row.name} data-differs={row.now !== null || undefined}>
          <dt>{row.label}</dt>
          <dd>
            {row.value}
            {row.now !== null && <span className="em-now"> now {row.now}</span>}
          </dd>
          {row.reason && <dd className="em-why">{sentence(row.reason)}</dd>}
        </div>
      ))}
    </dl>
  );
}
