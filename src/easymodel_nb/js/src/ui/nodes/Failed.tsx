/** A failed run: the cause as a sentence, the fix as a button, the traceback on demand. */
import { useState } from "react";
import type { RunCard } from "../../protocol";
import { useActions, useStudio } from "../../state/session";
import { Button } from "../parts";
import { TrainButton } from "./TrainButton";

export function Failed({ run, node }: { run: RunCard; node: string }) {
  const actions = useActions();
  const lost = useStudio((s) => s.lostSince !== null);
  const details = useStudio((s) => s.details[run.id]);
  const [open, setOpen] = useState(false);
  const message = run.problem?.message ?? "The run failed.";
  const [lead, rest] = split(message);
  const fix = run.problem?.fix;
  const text = details && ("text" in details ? details.text : details.detail);
  return (
    <>
      <div className="em-error">
        <p
          data-testid="problem"
          data-field={run.problem?.field ?? undefined}
          data-code={run.problem?.code}
        >
          {lead && <b>{lead} </b>}
          {rest}
        </p>
      </div>
      <div className="em-row">
        {fix && run.problem && (
          <Button
            className="em-grow"
            disabled={lost}
            onClick={async () => {
              if (run.problem)
                await actions.fix({ ...run.problem, node: run.problem.node ?? node });
              if (!fix.command) await actions.train(node);
            }}
          >
            {fix.command ? fix.label : `${fix.label} and train again`}
          </Button>
        )}
        {!fix && <TrainButton node={node} label="Train again" />}
        <Button
          kind="quiet"
          testid="run-details"
          pressed={open}
          onClick={() => {
            setOpen(!open);
            if (!open) void actions.loadDetails(run.id);
          }}
        >
          Details
        </Button>
      </div>
      {fix && <TrainButton node={node} label="Train again" />}
      {open && <pre className="em-trace nowheel nodrag nokey">{text || "Loading the log"}</pre>}
    </>
  );
}

const LEAD = 32;

/** A short first sentence stands out: "Out of memory. A batch of 16 rows ..." */
function split(message: string): [string, string] {
  const at = message.search(/[.:] /);
  return at > 0 && at < LEAD ? [message.slice(0, at + 1), message.slice(at + 2)] : ["", message];
}
