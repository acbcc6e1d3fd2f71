/** What two real steps on the longest batch took, or the button that measures them. */
import { bytes, count, date, duration } from "../../../logic/format";
import type { Audit, Fit, Node } from "../../../protocol";
import { useActions, useStudio } from "../../../state/session";
import { ProblemLine } from "../../Problem";
import { Button } from "../../parts";
import { Part } from "./Part";

export function FitPart({ node, audit }: { node: Node; audit: Audit }) {
  const { measure } = useActions();
  const lost = useStudio((s) => s.lostSince !== null);
  const { fit, fit_state: state, fit_problem: problem } = audit;
  const busy = state === "waiting" || state === "checking";
  return (
    <Part title="Time and memory">
      <div data-testid="fit" data-state={state}>
        {fit && <Measured fit={fit} />}
        {!fit && !busy && (
          <p>Not measured. The check loads the model and makes two steps on the longest batch.</p>
        )}
        {state === "waiting" && <p>Waiting until no run is under way.</p>}
        {state === "checking" && <p>Measuring two steps on the longest batch.</p>}
        {problem && <ProblemLine problem={{ ...problem, node: problem.node ?? node.id }} />}
        <Button
          testid="fit-check"
          className="em-fit"
          disabled={lost || busy}
          onClick={() => void measure(node.id)}
        >
          {fit ? "Check again" : "Check"}
        </Button>
      </div>
    </Part>
  );
}

function Measured({ fit }: { fit: Fit }) {
  const used = fit.free_bytes > 0 ? ` of ${bytes(fit.free_bytes)} free` : "";
  const step = fit.seconds_per_step;
  const lines = [
    ["Whole run", fit.seconds === null ? "not known" : `about ${duration(fit.seconds)}`],
    step !== null && ["Longest step", step < 1 ? ms(step) : `${step.toFixed(1)} s`],
    ["Peak memory", `${bytes(fit.memory_bytes)}${used}`],
    ["Measured on", `${count(fit.batch_size)} rows, the longest of ${count(fit.longest)} tokens`],
    ["Device", fit.device],
    ["When", date(fit.measured)],
  ].filter((line) => line !== false) as [string, string][];
  return (
    <>
      <dl className="em-figures">
        {lines.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {[fit.time_why, fit.memory_why].filter(Boolean).map((why) => (
        <p key={why}>{why}</p>
      ))}
    </>
  );
}

const ms = (seconds: number) => `${Math.round(seconds * 1000)} ms`;
