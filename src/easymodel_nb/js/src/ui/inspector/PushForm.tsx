/** A push to the Hub: named, looked at, and only then sent. */
import { useId, useState } from "react";
import { bytes } from "../../logic/format";
import { isOpen, look } from "../../logic/take";
import type { Job, Problem, PushPlanResult, RunCard } from "../../protocol";
import { useSession, useStudio } from "../../state/session";
import { TokenLine } from "../nodes/TokenLine";
import { FieldProblems } from "../Problem";
import { Button } from "../parts";

export function PushForm({ run, job }: { run: RunCard; job: Job | undefined }) {
  const { call, actions } = useSession();
  const lost = useStudio((s) => s.lostSince !== null);
  const [repo, setRepo] = useState("");
  const [hidden, setHidden] = useState(true);
  const [plan, setPlan] = useState<PushPlanResult | null>(null);
  const [busy, setBusy] = useState(false);
  const [mended, setMended] = useState<string>();
  const id = useId();
  const wanted = { run: run.id, repo: repo.trim(), private: hidden, merged: run.method !== "full" };
  const changed = () => {
    setPlan(null);
    setMended(job?.id);
  };
  const show = async () => {
    changed();
    setBusy(true);
    try {
      setPlan(await look(call, wanted));
    } catch (error) {
      actions.say((error as Error).message);
    }
    setBusy(false);
  };
  const send = async () => {
    try {
      await call("push", wanted);
      setPlan(null);
    } catch (error) {
      actions.say((error as Error).message);
    }
  };
  const failed = job?.problem?.field && job.id !== mended ? [job.problem] : [];
  const problems = plan?.problems ?? failed;
  const at = (field: string) => problems.filter((p) => p.field === field);
  const bad = (p: Problem) => p.severity === "error";
  return (
    <form
      className="em-fields nokey"
      data-testid="push-form"
      onSubmit={(e) => {
        e.preventDefault();
        if (repo.trim() && !busy && !lost) void show();
      }}
    >
      <div className="em-field">
        <label className="em-label" htmlFor={id}>
          Repository
        </label>
        <input
          id={id}
          className="em-input"
          data-testid="push-repo"
          placeholder="name or owner/name"
          spellCheck={false}
          maxLength={200}
          value={repo}
          aria-invalid={at("repo").some(bad) || undefined}
          aria-describedby={`${id}-repo`}
          onChange={(e) => {
            setRepo(e.target.value);
            changed();
          }}
        />
        <FieldProblems id={`${id}-repo`} problems={at("repo")} />
      </div>
      <label className="em-row">
        <input
          type="checkbox"
          data-testid="push-private"
          checked={hidden}
          onChange={(e) => {
            setHidden(e.target.checked);
            changed();
          }}
        />
        {hidden ? "Private: hidden from the public" : "Public: everybody sees it"}
      </label>
      <TokenLine />
      <FieldProblems id={`${id}-token`} problems={at("token")} />
      <FieldProblems id={`${id}-more`} problems={problems.filter((p) => !p.field)} />
      <Button
        testid="push-show"
        disabled={!repo.trim() || busy || lost || isOpen(job)}
        onClick={() => void show()}
      >
        {busy ? "Asking the Hub…" : "Show what would be sent"}
      </Button>
      {plan && !problems.some(bad) && (
        <>
          <p data-testid="push-plan">
            {plan.files.length} files, {bytes(plan.bytes)}, to the{" "}
            {plan.private ? "private" : "public"} repository <b>{plan.repo}</b>. Licence of the base
            model: {plan.licence}.
          </p>
          <ul className="em-notes">
            {plan.files.map((f) => (
              <li key={String(f.name)} className="em-row">
                <span className="em-grow em-ellipsis">{String(f.name)}</span>
                {bytes(Number(f.bytes))}
              </li>
            ))}
          </ul>
          <details>
            <summary>The model card</summary>
            <pre className="em-trace nowheel">{plan.card}</pre>
          </details>
          <Button
            kind="primary"
            testid="push-send"
            disabled={lost || isOpen(job)}
            onClick={() => void send()}
          >
            {`Send to ${plan.repo}`}
          </Button>
        </>
      )}
    </form>
  );
}
