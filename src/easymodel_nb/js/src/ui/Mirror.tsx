/** The copy on Drive: how it stands, beside the save state, and what one can do about it. */
import { useEffect, useRef, useState } from "react";
import { bytes, count } from "../logic/format";
import { mirrorLine, mirrorState, savedAt } from "../logic/mirror";
import type { Mirror as MirrorModel, MirrorQuestion } from "../protocol";
import { useActions, useStudio } from "../state/session";
import { Icon, type IconName } from "./icons";
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
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const leave = (e: Event) => {
      if (!box.current?.contains(e.composedPath()[0] as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", leave, true);
    return () => document.removeEventListener("pointerdown", leave, true);
  }, [open]);
  if (!mirror) return null;
  const state = mirrorState(mirror);
  const line = mirrorLine(mirror, Date.now());
  const toggle = () => {
    if (rail && analytics && !open) showTab("canvas"); // the rail alone has no room for it
    setOpen(!open);
  };
  const close = () => {
    setOpen(false);
    box.current?.querySelector<HTMLElement>(".em-mirror")?.focus({ preventScroll: true });
  };
  return (
    <div ref={box} className="em-mirror-box">
      <button
        type="button"
        className={`em-line em-mirror em-mirror-${state}`}
        data-testid="mirror"
        data-state={state}
        aria-label={line}
        aria-expanded={open}
        aria-haspopup="dialog"
        title={mirror.problem ?? `${line}. Show more.`}
        onClick={toggle}
      >
        <Icon name={SIGNS[state]} size={14} />
        <span className={rail ? "em-hidden" : "em-ellipsis"}>{line}</span>
      </button>
      {open && <Panel mirror={mirror} onClose={close} />}
    </div>
  );
}

function Panel({ mirror, onClose }: { mirror: MirrorModel; onClose: () => void }) {
  const { mirrorSave } = useActions();
  const lost = useStudio((s) => s.lostSince !== null);
  const runs = useStudio((s) => s.traits.runs.items);
  const panel = useRef<HTMLDivElement>(null);
  useEffect(() => panel.current?.focus({ preventScroll: true }), []);
  const { place } = mirror;
  const away = Object.values(mirror.away).reduce((sum, size) => sum + size, 0);
  const safe = runs.filter((run) => mirror.safe[run.id] !== undefined && run.status !== "finished");
  return (
    <div
      ref={panel}
      className="em-mirror-panel nowheel nokey"
      role="dialog"
      aria-label={`Copy on ${place}`}
      data-testid="mirror-panel"
      tabIndex={-1}
      onKeyDown={(e) => {
        if (e.key !== "Escape") return;
        e.stopPropagation();
        onClose();
      }}
    >
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
      <Button icon="cloud" testid="mirror-save" disabled={lost} onClick={() => void mirrorSave()}>
        Save to {place} now
      </Button>
    </div>
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
