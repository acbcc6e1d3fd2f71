/** The model of a run taken away: a zip, the adapters merged, or sent to the Hub. */
import { useEffect, useRef, useState } from "react";
import { bytes } from "../../logic/format";
import { BY_PARTS, fetchZip, fileName, isOpen, jobOf, whyNotSent } from "../../logic/take";
import type { Job, RunCard } from "../../protocol";
import { copy, keep } from "../../state/browser";
import { useSession, useStudio } from "../../state/session";
import { ProblemLine } from "../Problem";
import { Bar, Button } from "../parts";
import { PushForm } from "./PushForm";

export function TakeAway({ run }: { run: RunCard }) {
  const { call, actions } = useSession();
  const jobs = useStudio((s) => s.traits.runs.jobs);
  const lost = useStudio((s) => s.lostSince !== null);
  const [form, setForm] = useState(false);
  const [wanted, setWanted] = useState("");
  if (!run.model_path) return null;
  const zip = jobOf(jobs, run.id, "zip");
  const merged = jobOf(jobs, run.id, "merged");
  const push = jobOf(jobs, run.id, "push");
  const why = whyNotSent(run);
  const start = async (what: "zip" | "merged") => {
    try {
      setWanted((await call("take", { run: run.id, what })).job);
    } catch (error) {
      actions.say((error as Error).message);
    }
  };
  return (
    <section className="em-fields" aria-label="Take it away" data-testid="take">
      <div className="em-row">
        <Button testid="take-zip" disabled={lost || isOpen(zip)} onClick={() => void start("zip")}>
          Download
        </Button>
        {run.method !== "full" && (
          <Button
            testid="take-merged"
            disabled={lost || isOpen(merged)}
            onClick={() => void start("merged")}
          >
            Merge
          </Button>
        )}
        {!why && (
          <Button testid="take-push" pressed={form} onClick={() => setForm(!form)}>
            Send to the Hub
          </Button>
        )}
      </div>
      {why && <p className="em-muted">{why}</p>}
      {zip && <JobLine job={zip} />}
      {zip?.state === "done" && <Zip job={zip} asked={wanted === zip.id} />}
      {merged && <JobLine job={merged} />}
      {merged?.state === "done" && <Place path={merged.path ?? ""} />}
      {form && <PushForm run={run} job={push} />}
      {push && <JobLine job={push} inForm={form} />}
    </section>
  );
}

const NAMES: Record<Job["kind"], string> = {
  zip: "Zip",
  merged: "Merging",
  push: "Push",
  report: "Report",
  measure: "Judging",
};

/** How far a job is, with its end; or what came of it. */
function JobLine({ job, inForm = false }: { job: Job; inForm?: boolean }) {
  const { call } = useSession();
  const { done, total, problem } = job;
  const share = total ? (done ?? 0) / total : 0;
  return (
    <div role="status" data-testid={`job-${job.kind}`} data-state={job.state}>
      {isOpen(job) ? (
        <>
          <Bar label={NAMES[job.kind]} share={share} />
          <div className="em-row">
            <span className="em-grow em-ellipsis">
              {job.message}
              {total ? `, ${bytes(done ?? 0)} of ${bytes(total)}` : ""}
            </span>
            <Button
              icon="cross"
              kind="quiet"
              label={`Cancel: ${NAMES[job.kind]}`}
              testid="job-cancel"
              onClick={() => void call("job_cancel", { job: job.id }).catch(() => {})}
            />
          </div>
        </>
      ) : problem ? (
        !(inForm && problem.field) && <ProblemLine problem={problem} />
      ) : job.kind === "push" && job.url ? (
        <p>
          Sent and compared:{" "}
          <a className="em-button em-link" href={job.url} target="_blank" rel="noreferrer">
            {job.url}
          </a>
        </p>
      ) : job.kind !== "zip" || job.state === "cancelled" ? (
        <p>{job.message}</p>
      ) : null}
    </div>
  );
}

/** A packed model: it comes by itself when it was asked for here and is not too large. */
function Zip({ job, asked }: { job: Job; asked: boolean }) {
  const { call } = useSession();
  const colab = useStudio((s) => s.traits.catalog.host === "colab");
  const [share, setShare] = useState<number | null>(null);
  const [wrong, setWrong] = useState("");
  const begun = useRef("");
  const path = job.path ?? "";
  const size = job.total ?? 0;
  const fetchIt = async () => {
    if (share !== null) return;
    setWrong("");
    setShare(0);
    try {
      keep(fileName(path), await fetchZip(call, job, (here) => setShare(here / size)));
    } catch (error) {
      setWrong((error as Error).message);
    }
    setShare(null);
  };
  useEffect(() => {
    if (!asked || begun.current === job.id || size > BY_PARTS) return;
    begun.current = job.id;
    void fetchIt();
  });
  return (
    <>
      {share !== null && <Bar label="Download" share={share} />}
      {wrong && <p className="em-err-text">{wrong}</p>}
      <div className="em-row">
        <span className="em-grow">
          {fileName(path)}, {bytes(size)}
        </span>
        {size <= BY_PARTS && (
          <Button kind="link" testid="zip-save" onClick={() => void fetchIt()}>
            Save
          </Button>
        )}
        {job.url && (
          <a className="em-button em-link" href={job.url} download={fileName(path)}>
            From the notebook server
          </a>
        )}
      </div>
      <Place path={colab ? `from google.colab import files; files.download("${path}")` : path} />
    </>
  );
}

/** Where something lies, to be copied. */
function Place({ path }: { path: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <div className="em-row">
      <span className="em-grow em-ellipsis em-muted" title={path}>
        {path}
      </span>
      <Button
        icon="copy"
        kind="quiet"
        onClick={async () => setCopied(await copy(path))}
        testid="copy-path"
      >
        {copied ? "Copied" : "Copy"}
      </Button>
    </div>
  );
}
