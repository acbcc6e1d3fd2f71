/** The runs of a sweep in its node: value, status, result, and which is best where that is known. */
import { isActive, ofSweep, pace, statusWord } from "../../logic/runs";
import type { RunCard } from "../../protocol";
import { useActions, useStudio } from "../../state/session";
import { Icon, type IconName } from "../icons";
import { Button } from "../parts";

const SIGNS: Record<string, IconName> = {
  queued: "clock",
  running: "play",
  finished: "check",
  failed: "alert",
  stopped: "stop",
  interrupted: "warn",
};

export function Variants({ run }: { run: RunCard }) {
  const { showTab, stopAll } = useActions();
  const all = useStudio((s) => s.traits.runs.items);
  const lost = useStudio((s) => s.lostSince !== null);
  const runs = ofSweep(all, run);
  if (runs.length < 2) return null;
  const waiting = runs.filter((r) => r.status === "queued").map((r) => r.id);
  const done = runs.filter((r) => !isActive(r));
  const measured = done.filter((r) => r.result);
  const best = runs.find((r) => r.best);
  return (
    <section className="em-variants nowheel" data-testid="variants" aria-label="Runs of the sweep">
      <div className="em-row em-variants-head">
        <b className="em-grow">
          {done.length < runs.length && `${done.length} of `}
          {runs.length} runs
        </b>
        {waiting.length > 0 && (
          <Button
            kind="link"
            testid="variants-cancel"
            disabled={lost}
            onClick={() => void stopAll(waiting)}
          >
            {`Cancel ${waiting.length} waiting`}
          </Button>
        )}
      </div>
      <ul>
        {runs.map((r) => (
          <li key={r.id} data-run-id={r.id} data-status={r.status}>
            <button
              type="button"
              className="em-variant nodrag"
              title={`${r.variant}. Show it in Analytics.`}
              onClick={(e) => {
                e.stopPropagation();
                showTab("analytics", r.id);
              }}
            >
              <span className={`em-variant-sign em-run-${r.status}`}>
                <Icon name={SIGNS[r.status] ?? "clock"} size={12} />
              </span>
              <span className="em-ellipsis em-grow">{r.variant}</span>
              {r.best && <span className="em-best">best</span>}
              <span className="em-variant-value">{r.result || doing(r)}</span>
            </button>
          </li>
        ))}
      </ul>
      {measured.length > 0 && (
        <small className="em-help">
          {measured[0]?.metric}, 95 % interval.
          {!best && measured.length > 1 && done.length === runs.length
            ? " None is clearly better than all the others."
            : ""}
        </small>
      )}
    </section>
  );
}

/** In a word, where there is no result: "58 %", "Queued, next", "Failed". */
function doing(run: RunCard): string {
  if (run.status === "running") return pace(run);
  return statusWord(run, false);
}
