/** The copy on Drive: how it stands, beside the save state, and what one can do about it. */
import { bytes, count } from "../logic/format";
import { mirrorLine, mirrorState, savedAt } from "../logic/mirror";
import type { Mirror as MirrorModel, MirrorQuestion } from "../protocol";
import { useActions, useStudio } from "../state/session";
import { Icon, type IconName } from "./icons";
import { Popover } from "./Popover";
import { Button } from "./parts";

const SIGNS: Record<ReturnType<typeof mirrorState>, IconName> = {
  failed: "warn",
  asking: "cloud",
  pending: "cloud",
  saved: "check",
};

/** Nothing where there is no synced folder. */
export function Mirror({ rail }: { rail: boolean }) {
  const mirror = useStudio((s) => s.traits.projects.keeping?.mirror);
  const analytics = useStudio((s) => s.tab === "analytics");
  const { showTab } = useActions();
  if (!mirror) return null;
  const state = mirrorState(mirror);
  const line = mirrorLine(mirror, Date.now());
  return (
    <Popover
      name="mirror"
      className={`em-line em-mirror em-mirror-${state}`}
      label={`Copy on ${mirror.place}`}
      title={mirror.problem ?? `${line}. Show more.`}
      says={line}
      state={state}
      // The rail alone has no room for it.
      onOpen={() => rail && analytics && showTab("canvas")}
      button={
        <>
          <Icon name={SIGNS[state]} size={14} />
          <span className={rail ? "em-hidden" : "em-ellipsis"}>{line}</span>
        </>
      }
    >
      <Panel mirror={mirror} />
    </Popover>
  );
}

function Panel({ mirror }: { mirror: MirrorModel }) {
  const { mirrorSave } = useActions();
  const lost = useStudio((s) => s.lostSince !== null);
  const runs = useStudio((s) => s.traits.runs.items);
  const { place } = mirror;
  const away = Object.values(mirror.away).reduce((sum, size) => sum + size, 0);
  const safe = runs.filter((run) => mirror.safe[run.id] !== undefined && run.status !== "finished");
  return (
    <>
      {mirror.problem && (
        <p className="em-mirror-problem" role="alert">
          {mirror.problem}
        </p>
      )}
      <p>{told(mirror)}</p>
      {mirror.note && <p className="em-muted">{mirror.note}</p>}
      {away > 0 && !mirror.note && (
        <p className="em-muted">
          {bytes(away)} of models and checkpoints are on {place} and are brought here one by one.
        </p>
      )}
      {safe.map((run) => (
        <p key={run.id} className="em-muted" data-testid="mirror-safe">
          Checkpoint of step {count(mirror.safe[run.id] ?? 0)} is safe on {place}
          {safe.length > 1 && ` (${run.summary})`}.
        </p>
      ))}
      {mirror.questions.map((question) => (
        <Question key={question.run} question={question} mirror={mirror} />
      ))}
      {mirror.declined.map((question) => (
        <Declined key={question.run} question={question} place={place} />
      ))}
      <Button icon="cloud" testid="mirror-save" disabled={lost} onClick={() => void mirrorSave()}>
        Save to {place} now
      </Button>
    </>
  );
}

function told(mirror: MirrorModel): string {
  const at = savedAt(mirror, Date.now());
  const before = at && `All as of ${at} is copied there and read back.`;
  if (mirror.problem) return before || "Nothing of this session is there yet.";
  if (mirror.pending) return `What changed is copied within half a minute. ${before}`.trim();
  return `Projects, runs and models are copied to ${mirror.place} and read back, last at ${at}.`;
}

function Question({ question, mirror }: { question: MirrorQuestion; mirror: MirrorModel }) {
  const { mirrorCheckpoints } = useActions();
  const lost = useStudio((s) => s.lostSince !== null);
  const room = mirror.free !== null && ` ${bytes(mirror.free)} are free there.`;
  return (
    <fieldset className="em-mirror-question" data-testid="mirror-question">
      <p>
        The checkpoint of step {count(question.step)} takes {bytes(question.bytes)}, and the newest
        two are kept.{room} Copy the checkpoints of this run to {mirror.place}, so that it can go on
        on another machine?
      </p>
      <Button
        testid="mirror-agree"
        disabled={lost}
        onClick={() => void mirrorCheckpoints(question.run, true)}
      >
        Copy them
      </Button>
      <Button
        kind="quiet"
        testid="mirror-decline"
        disabled={lost}
        onClick={() => void mirrorCheckpoints(question.run, false)}
      >
        Keep them here only
      </Button>
    </fieldset>
  );
}

/** The answer can be taken back: the checkpoints are still here. */
function Declined({ question, place }: { question: MirrorQuestion; place: string }) {
  const { mirrorCheckpoints } = useActions();
  const lost = useStudio((s) => s.lostSince !== null);
  return (
    <fieldset className="em-mirror-question" data-testid="mirror-declined">
      <p className="em-muted">
        The checkpoint of step {count(question.step)} ({bytes(question.bytes)}) is kept here only.
      </p>
      <Button
        kind="quiet"
        testid="mirror-take-back"
        disabled={lost}
        onClick={() => void mirrorCheckpoints(question.run, true)}
      >
        Copy to {place} after all
      </Button>
    </fieldset>
  );
}
