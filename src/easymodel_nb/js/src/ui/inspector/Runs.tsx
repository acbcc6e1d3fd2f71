/** Every run of a node: when, what came of it, and why it was planned as it was. */
import { useEffect, useRef, useState } from "react";
import { date } from "../../logic/format";
import { choices } from "../../logic/plan";
import { statusWord } from "../../logic/runs";
import type { RunCard } from "../../protocol";
import { useActions, useStudio } from "../../state/session";
import { Choices } from "../Choices";
import { Resume, Resumed } from "../nodes/Resume";
import { Button } from "../parts";
import { Section } from "./Section";
import { TakeAway } from "./TakeAway";

export function Runs({ node }: { node: string }) {
  const all = useStudio((s) => s.traits.runs.items);
  const mine = all.filter((run) => run.node_id === node);
  if (mine.length === 0) return null;
  return (
    <Section part="runs" title={mine.length === 1 ? "1 run" : `${mine.length} runs`}>
      <ul className="em-runs">
        {mine.map((run, i) => (
          <Run key={run.id} run={run} first={i === 0} />
        ))}
      </ul>
    </Section>
  );
}

function Run({ run, first }: { run: RunCard; first: boolean }) {
  const { showTab, loadDetails } = useActions();
  const [open, setOpen] = useState(first);
  const details = useStudio((s) => s.details[run.id]);
  const asked = useRef("");
  // Asked again when the run has come further: a plan is there only once it was made.
  const mark = `${run.status}/${run.stage.stage}`;
  useEffect(() => {
    if (!open || asked.current === mark) return;
    asked.current = mark;
    void loadDetails(run.id);
  }, [open, mark, run.id, loadDetails]);
  const known = details && "plan" in details ? details : null;
  const rows = known?.plan ? choices(known.plan) : [];
  return (
    <li className="em-run-row" data-run-id={run.id}>
      <div className="em-row">
        <button
          type="button"
          className="em-run-open em-grow"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          <b>{date(run.created)}</b>
          <span className={`em-run-word em-run-${run.status}`}>{statusWord(run, false)}</span>
        </button>
        <Button kind="link" onClick={() => showTab("analytics", run.id)}>
          Charts
        </Button>
      </div>
      {open && (
        <div className="em-run-details">
          <p>{run.headline ?? run.problem?.message ?? run.summary}</p>
          {run.warnings.map((w) => (
            <p key={w.message} className="em-warn-text">
              {w.message}
            </p>
          ))}
          <Resumed run={run} />
          <Resume run={run} />
          <TakeAway run={run} />
          {details && "text" in details && <p className="em-err-text">{details.text}</p>}
          {rows.length > 0 && <Choices rows={rows} />}
          {known && known.log.length > 0 && (
            <pre className="em-trace nowheel">{known.log.join("\n")}</pre>
          )}
        </div>
      )}
    </li>
  );
}
