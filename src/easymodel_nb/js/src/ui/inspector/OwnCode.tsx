/** The Python code that a model works only with: what it is, what it may do, and the user's word. */
import { useEffect, useId, useRef, useState } from "react";
import { bytes, date } from "../../logic/format";
import type { CodeFacts } from "../../protocol";
import { useActions, useStudio } from "../../state/session";
import { Button } from "../parts";
import { Section } from "./Section";

const isFolder = (code: CodeFacts) => /^(\/|[A-Za-z]:[\\/])/.test(code.repo);
const version = (code: CodeFacts) =>
  isFolder(code) ? "as they are now" : `at commit ${code.commit.slice(0, 7)}`;

export function OwnCode({ code }: { code: CodeFacts }) {
  return (
    <Section title="Code of its own" part="code">
      {code.allowed ? <Allowed code={code} since={code.allowed} /> : <Question code={code} />}
    </Section>
  );
}

function Question({ code }: { code: CodeFacts }) {
  const { allowCode, inspect } = useActions();
  const lost = useStudio((s) => s.lostSince !== null);
  const asked = useStudio((s) => (s.place?.part === "code" ? s.place.asked : 0));
  const [trusted, setTrusted] = useState(false);
  const [busy, setBusy] = useState(false);
  const tick = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => {
    if (asked > 0) tick.current?.focus({ preventScroll: true });
  }, [asked]);
  return (
    <div className="em-code-question" data-testid="code-question">
      <p>
        <b dir="auto">{code.repo}</b> works only with Python files that come with it,{" "}
        {version(code)}:
      </p>
      <Files code={code} />
      <p id={id}>
        Python code can do on this machine whatever you can: read and delete your files, use your
        tokens and passwords, reach the network. EasyModel cannot check what these files do. Read
        them, and let them run only if you trust who wrote them.
      </p>
      <label className="em-accept nokey">
        <input
          ref={tick}
          type="checkbox"
          data-testid="code-trusted"
          aria-describedby={id}
          checked={trusted}
          onChange={(e) => setTrusted(e.currentTarget.checked)}
        />
        I trust who wrote this code
      </label>
      <div className="em-code-choice">
        <Button
          kind="primary"
          testid="code-allow"
          disabled={!trusted || lost || busy}
          onClick={() => {
            setBusy(true);
            void allowCode(code).finally(() => setBusy(false));
          }}
        >
          Let it run here
        </Button>
        <Button kind="quiet" testid="code-leave" onClick={() => inspect(null)}>
          Not now
        </Button>
      </div>
      <p className="em-muted">
        It is remembered on this machine for just these files: when they change, you are asked
        again. No project can bring it along.
      </p>
    </div>
  );
}

function Allowed({ code, since }: { code: CodeFacts; since: string }) {
  const { withdraw } = useActions();
  const lost = useStudio((s) => s.lostSince !== null);
  return (
    <div className="em-code-question" data-testid="code-allowed">
      <p>
        These Python files of <b dir="auto">{code.repo}</b> run with it, {version(code)}. You
        allowed it on {date(since)}.
      </p>
      <Files code={code} />
      <Button
        testid="code-withdraw"
        disabled={lost}
        onClick={() => void withdraw({ kind: "code", repo: code.repo, commit: code.commit })}
      >
        Allow it no longer
      </Button>
    </div>
  );
}

function Files({ code }: { code: CodeFacts }) {
  return (
    <>
      <ul className="em-notes" data-testid="code-files">
        {code.files.map((file) => (
          <li key={file.name} className="em-code-file">
            <code dir="auto">{file.name}</code>
            <span className="em-muted">{bytes(file.bytes)}</span>
          </li>
        ))}
      </ul>
      {code.page && (
        <a
          className="em-page"
          data-testid="code-page"
          href={code.page}
          target="_blank"
          rel="noreferrer noopener"
        >
          Read them on the Hub, at this commit
        </a>
      )}
    </>
  );
}
