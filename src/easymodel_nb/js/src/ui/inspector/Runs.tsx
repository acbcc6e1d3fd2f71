/** Every run of a node: when, which, what came of it; one that is opened tells all of itself. */
import { useState } from "react";
import { date } from "../../logic/format";
import { statusWord } from "../../logic/runs";
import type { Node, RunCard } from "../../protocol";
import { useActions, useStudio } from "../../state/session";
import { Button } from "../parts";
import { RunRecord } from "./RunRecord";
import { Section } from "./Section";

/** So many travel with the state; where there are as many, older ones may be on disk. */
const TRAVELLING = 50;

export function Runs({ node }: { node: Node }) {
  const all = useStudio((s) => s.traits.runs.items);
  const { olderRuns } = useActions();
  const [older, setOlder] = useState<RunCard[]>([]);
  const [more, setMore] = useState<boolean | null>(null);
  const known = all.filter((run) => run.node_id === node.id);
  const ids = new Set(known.map((run) => run.id));
  const mine = [...known, ...older.filter((run) => !ids.has(run.id))];
  if (mine.length === 0) return null;
  const oldest = mine.at(-1)?.id ?? "";
  const load = async () => {
    const found = await olderRuns(node.id, oldest);
    if (!found) return;
    setOlder([...older, ...found.runs]);
    setMore(found.more ?? false);
  };
  return (
    <Section part="runs" title={mine.length === 1 ? "1 run" : `${mine.length} runs`}>
      <ul className="em-runs">
        {mine.map((run, i) => (
          <Run key={run.id} run={run} node={node} first={i === 0} />
        ))}
      </ul>
      {(more ?? all.length >= TRAVELLING) && (
        <Button kind="link" testid="runs-older" onClick={() => void load()}>
          Older runs
        </Button>
      )}
    </Section>
  );
}

function Run({ run, node, first }: { run: RunCard; node: Node; first: boolean }) {
  const { showTab } = useActions();
  const [open, setOpen] = useState(first);
  return (
    <li className="em-run-row" data-testid="run-row" data-run-id={run.id}>
      <div className="em-row">
        <button
          type="button"
          className="em-run-open em-grow"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          <b>{date(run.created)}</b>
          <span className={`em-run-word em-run-${run.status}`}>{statusWord(run, false)}</span>
          {run.best && <span className="em-best">best</span>}
        </button>
        <Button kind="link" testid="run-charts" onClick={() => showTab("analytics", run.id)}>
          Charts
        </Button>
      </div>
      {(run.variant || run.result) && (
        <p className="em-run-line">
          {run.variant && <b>{run.variant}</b>}
          {run.result && `${run.metric} ${run.result}`}
        </p>
      )}
      {open && <RunRecord run={run} node={node} />}
    </li>
  );
}
