/** A run that can go on from its last checkpoint, one that did, and what was done to save one. */
import { count } from "../../logic/format";
import type { RunCard } from "../../protocol";
import { useActions, useStudio } from "../../state/session";
import { Icon } from "../icons";
import { Button } from "../parts";
import { useOnly } from "./TrainButton";

export function Resume({ run }: { run: RunCard }) {
  const { resume } = useActions();
  const lost = useStudio((s) => s.lostSince !== null);
  const only = useOnly();
  const resuming = useStudio((s) => s.resuming.includes(run.id));
  if (!run.resumable) return null; // at step 0 there is nothing to go on from
  return (
    <Button
      icon="redo"
      kind={only ? "primary" : "secondary"}
      className="em-resume"
      testid="resume"
      disabled={lost || resuming}
      onClick={() => void resume(run.id)}
    >
      {resuming ? "Resuming" : `Resume from step ${count(run.resumable)}`}
    </Button>
  );
}

/** From where its last attempt went on. */
export function Resumed({ run }: { run: RunCard }) {
  if (run.resumed_from === null) return null;
  return (
    <p className="em-resumed" data-testid="resumed">
      resumed at step {count(run.resumed_from)}
    </p>
  );
}

const SHOWN = 2;

/** What a run was warned of or saved from, the newest last: all of it stands in the inspector. */
export function Warnings({ run }: { run: RunCard }) {
  const last = run.warnings.filter((w) => !run.reason?.includes(w.message)).slice(-SHOWN);
  return last.map((w) => (
    <p
      key={w.code + w.message}
      className="em-problem em-problem-note"
      data-testid="run-warning"
      data-code={w.code}
    >
      <Icon name="warn" size={12} />
      <span className="em-grow">{w.message}</span>
    </p>
  ));
}
