/** The newest run in its node: what it does, how far it is, or what came of it. */
import { clock, count, duration, loss, lowerFirst, percent } from "../../logic/format";
import { titleOf } from "../../logic/ports";
import { isActive, ofSweep, progress, sentence } from "../../logic/runs";
import type { Node, Problem, RunCard } from "../../protocol";
import { useActions, useStudio } from "../../state/session";
import { Icon } from "../icons";
import { Loose } from "../Problem";
import { Button } from "../parts";
import { Failed } from "./Failed";
import { Resume, Resumed, Warnings } from "./Resume";
import { Sparkline } from "./Sparkline";
import { Strip } from "./Strip";
import { OpenAnalytics, TrainButton } from "./TrainButton";
import { Variants } from "./Variants";

interface PanelProps {
  node: Node;
  run: RunCard;
  problems: Problem[];
  /** The fields are folded, and the strip with them. */
  brief: boolean;
}

export function RunPanel({ node, run, problems, brief }: PanelProps) {
  // Its own problem stands in the strip above.
  const own = problems.filter(
    (p) => p.code !== run.problem?.code || p.message !== run.problem.message,
  );
  const best = useStudio((s) => ofSweep(s.traits.runs.items, run).find((r) => r.best) ?? run);
  return (
    <div className="em-body em-run" data-run-id={run.id}>
      {run.sweep && <Variants run={run} />}
      {run.status === "queued" && <Queued run={run} />}
      {run.status === "running" && <Running run={run} />}
      {run.status === "failed" && <Failed run={run} node={node.id} />}
      {(run.status === "finished" || run.status === "stopped") && <Ended run={best} />}
      {run.status === "interrupted" && <Interrupted run={run} />}
      <Warnings run={run} />
      {!isActive(run) && <Loose problems={own} hidden={true} />}
      {!isActive(run) && brief && <Strip node={node} brief />}
      {!isActive(run) && <Resume run={run} />}
      {!isActive(run) && run.status !== "failed" && (
        <div className="em-row em-run-again">
          <TrainButton node={node.id} label="Train again" second={Boolean(run.resumable)} />
          <OpenAnalytics run={run.id} />
        </div>
      )}
    </div>
  );
}

function Queued({ run }: { run: RunCard }) {
  const before = useStudio((s) => {
    if (run.waits_for) return null;
    const running = s.traits.runs.items.find((r) => r.status === "running");
    const node = s.history.present.nodes.find((n) => n.id === running?.node_id);
    return run.queue_position === 0 && node ? (node.label ?? titleOf(node.type)) : null;
  });
  return (
    <div className="em-row">
      <span className="em-grow em-stage" data-testid="run-stage">
        {run.waits_for
          ? `Waits for ${run.waits_for}`
          : before
            ? `Starts after ${before}`
            : run.stage.message}
      </span>
      <StopButton run={run} label="Cancel" />
    </div>
  );
}

function Running({ run }: { run: RunCard }) {
  const lost = useStudio((s) => s.lostSince);
  const training = run.stage.stage === "training";
  const heard = lost === null ? null : `Last heard at ${clock(lost)}`;
  const left = run.seconds_left ?? run.stage.seconds_left;
  const values = [
    run.loss !== null && {
      value: loss(run.loss),
      name: `loss, step ${count(run.step)} of ${count(run.max_steps)}`,
    },
    training &&
      run.tokens_per_second !== null && {
        value: count(run.tokens_per_second),
        name: "tokens/s",
      },
    (left !== null || heard !== null) && {
      value: heard || left === null ? "unknown" : duration(left),
      name: run.seconds_left === null ? "left of this stage" : "left",
    },
  ].filter((v) => v !== false);
  return (
    <>
      <Bar run={run} title={heard ? `${heard}, ${lowerFirst(sentence(run))}` : sentence(run)} />
      <Resumed run={run} />
      {run.spark.length > 1 && <Sparkline values={run.spark} />}
      {values.length > 0 && (
        <dl className="em-values">
          {values.map((v) => (
            <div key={v.name}>
              <dd>{v.value}</dd>
              <dt>{v.name}</dt>
            </div>
          ))}
        </dl>
      )}
      <div className="em-row em-run-buttons">
        <StopButton run={run} label="Stop" />
        <OpenAnalytics run={run.id} />
      </div>
    </>
  );
}

function Bar({ run, title }: { run: RunCard; title: string }) {
  const { value, bar } = progress(run);
  const now = value === null ? undefined : Math.round(value * 1000) / 10;
  return (
    <div className="em-progress">
      <div className="em-row">
        <span className="em-stage em-grow" data-testid="run-stage">
          {title}
        </span>
        {value !== null && <span className="em-percent">{percent(value)}</span>}
      </div>
      <div
        className="em-bar"
        role="progressbar"
        data-testid="run-progress"
        aria-label={title}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={now ?? 0}
      >
        {bar.map((full, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the i-th segment is the i-th epoch
          <span key={i} className="em-segment">
            <span style={{ transform: `scaleX(${full})` }} />
          </span>
        ))}
      </div>
    </div>
  );
}

function StopButton({ run, label }: { run: RunCard; label: string }) {
  const { stop } = useActions();
  const lost = useStudio((s) => s.lostSince !== null);
  const stopping = useStudio((s) => s.stopping.includes(run.id) || s.stopping.includes("*"));
  return (
    <Button
      {...(label === "Stop" && { icon: "stop" as const })}
      kind={label === "Stop" ? "secondary" : "quiet"}
      className="em-stop"
      testid="stop"
      disabled={lost || stopping}
      onClick={() => void stop(run.id)}
    >
      {stopping ? "Stopping" : label}
    </Button>
  );
}

function Ended({ run }: { run: RunCard }) {
  const finished = run.status === "finished";
  const at =
    run.max_steps > 0 ? ` It had reached step ${count(run.step)} of ${count(run.max_steps)}.` : "";
  const kept = run.model_path ? " What it learned is saved." : "";
  const stopped = `${run.reason ?? "Stopped."}${at}${kept}`;
  return (
    <>
      <p className="em-result" data-testid="run-stage">
        {finished && (
          <span className="em-ok-text">
            <Icon name="check" size={14} />
          </span>
        )}
        <span>
          {run.variant && <b>{run.variant}. </b>}
          {finished ? (run.headline ?? "Finished; the model is saved.") : stopped}
        </span>
      </p>
      <Resumed run={run} />
      {run.spark.length > 1 && <Sparkline values={run.spark} />}
    </>
  );
}

const onward = (run: RunCard) =>
  !run.resumable
    ? "it kept no checkpoint, so train again to start over."
    : "go on from its last checkpoint, or train again to start over.";

function Interrupted({ run }: { run: RunCard }) {
  const at = run.max_steps > 0 ? ` at step ${run.step} of ${run.max_steps}` : "";
  return (
    <p className="em-result em-warn-text" data-testid="run-stage">
      <Icon name="warn" size={14} />
      <span>
        The kernel ended while this ran{at}. Its charts are kept; {onward(run)}
      </span>
    </p>
  );
}
