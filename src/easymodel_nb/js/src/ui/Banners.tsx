/** Strips under the toolbar: the kernel is lost, a conflict, the last refusal, a notice of Python's. */
import { useEffect, useState } from "react";
import { clock, duration } from "../logic/format";
import { useActions, useStudio } from "../state/session";
import type { NoticeAction } from "../state/store";
import { Conflict, Offer } from "./Changes";
import { Icon } from "./icons";
import { Keeping } from "./Keeping";
import { Button } from "./parts";

export function Banners() {
  return (
    <div className="em-banners">
      <KernelLost />
      <Keeping />
      <Held />
      <Offer />
      <Conflict />
      <NotSaved />
      <LastNotice />
      <PythonNotice />
    </div>
  );
}

function KernelLost() {
  const since = useStudio((s) => s.lostSince);
  const unsaved = useStudio((s) => s.commit.unsaved);
  const active = useStudio((s) => s.traits.beat.active);
  const { retry } = useActions();
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (since === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 5000);
    return () => clearInterval(timer);
  }, [since]);
  if (since === null) return null;
  const edits = unsaved === 1 ? "Your edit since then is" : `Your ${unsaved} edits since then are`;
  return (
    <div className="em-banner em-banner-warn" data-testid="kernel-lost">
      <Icon name="plug" size={16} />
      <div className="em-grow">
        <b>The kernel has not answered for {duration((now - since) / 1000)}</b>
        <p>
          A running cell may be the reason; then this goes away by itself.{" "}
          {unsaved > 0 && `${edits} kept in this browser. `}
          If the kernel was restarted, run the cell again
          {active ? `: what the run saved is kept. Last heard at ${clock(since)}.` : "."}
        </p>
      </div>
      <Button onClick={retry}>Try again</Button>
    </div>
  );
}

/** Another notebook has the project: here it is read, until it is taken over. */
function Held() {
  const held = useStudio((s) => s.traits.document.held);
  const unsaved = useStudio((s) => s.commit.unsaved);
  const { takeOver } = useActions();
  if (!held) return null;
  const edits = unsaved === 1 ? "Your last edit is" : `Your last ${unsaved} edits are`;
  return (
    <div className="em-banner em-banner-warn" role="status" data-testid="held">
      <Icon name="lock" size={16} />
      <div className="em-grow">
        <b>
          This project is open in {held.by} since {clock(held.since).slice(0, 5)}
        </b>
        <p>
          Here it can only be read. Take over to edit it here; then it is read-only there.
          {unsaved > 0 && ` ${edits} kept in this browser and saved when you take over.`}
        </p>
      </div>
      <Button testid="take-over" onClick={() => void takeOver()}>
        Take over
      </Button>
    </div>
  );
}

function NotSaved() {
  const failure = useStudio((s) => (s.traits.document.held ? null : s.commit.failure));
  const { retry } = useActions();
  if (!failure) return null;
  return (
    <div className="em-banner em-banner-err" role="alert" data-testid="not-saved">
      <Icon name="alert" size={16} />
      <div className="em-grow">
        <b>Your last edits could not be saved</b>
        <p>{failure}</p>
      </div>
      <Button onClick={retry}>Try again</Button>
    </div>
  );
}

/** What was just done or refused; the sidebar shows it where the canvas is not. */
export function LastNotice() {
  const notice = useStudio((s) => s.notice);
  const { dismiss } = useActions();
  if (!notice) return null;
  return (
    <div
      className={`em-banner em-banner-${notice.tone}`}
      role={notice.tone === "err" ? "alert" : "status"}
      data-testid="notice"
    >
      <Icon name={notice.tone === "err" ? "alert" : "info"} size={16} />
      <p className="em-grow" dir="auto">
        {notice.text}
      </p>
      {notice.action && <Acting {...notice.action} done={dismiss} />}
      <Button icon="cross" kind="quiet" label="Close" onClick={dismiss} />
    </div>
  );
}

function Acting({ label, testid, act, done }: NoticeAction & { done: () => void }) {
  return (
    <Button
      testid={testid}
      onClick={() => {
        done();
        act();
      }}
    >
      {label}
    </Button>
  );
}

function PythonNotice() {
  const notice = useStudio((s) => s.traits.catalog.notice);
  const [read, setRead] = useState<string | null>(null);
  if (!notice || notice === read) return null;
  return (
    <div className="em-banner em-banner-info" role="status" data-testid="notice">
      <Icon name="info" size={16} />
      <p className="em-grow">{notice}</p>
      <Button icon="cross" kind="quiet" label="Close" onClick={() => setRead(notice)} />
    </div>
  );
}
