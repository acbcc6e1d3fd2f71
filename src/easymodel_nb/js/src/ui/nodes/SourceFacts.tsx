/** What is known of a source, once somebody looked. */
import { shortSource } from "../../logic/format";
import type { SourceFacts } from "../../protocol";
import { useActions, useStudio } from "../../state/session";
import { Icon } from "../icons";
import { Section } from "../inspector/Section";
import { Button } from "../parts";

/** The facts, if they are about the source that stands in the field now. */
export function useFacts(id: string, source: string): SourceFacts | null {
  const facts = useStudio((s) => s.traits.catalog.facts[id] ?? null);
  return facts && facts.source.trim() === source.trim() ? facts : null;
}

export function Facts({ id, source }: { id: string; source: string }) {
  const facts = useFacts(id, source);
  if (!source || !facts) return null;
  if (facts.state === "checking")
    return (
      <p className="em-facts em-muted" data-testid="facts" data-state="checking">
        Looking at {shortSource(source)}
      </p>
    );
  const ok = facts.state === "ok";
  const shut = facts.problem?.code === "hub.gated";
  const told = ok || facts.state === "problem" ? facts.lines.slice(0, 2) : [];
  return (
    <>
      {told.length > 0 && (
        <div className="em-facts" data-testid="facts" data-state={facts.state}>
          <span className={ok ? "em-ok-text" : "em-warn-text"}>
            <Icon name={ok ? "check" : "warn"} size={14} />
          </span>
          <div className="em-grow">
            {told.map((line) => (
              <p key={line} className="em-ellipsis" title={line}>
                {line}
              </p>
            ))}
          </div>
        </div>
      )}
      {shut && facts.page && <Page href={facts.page}>Open its page on the Hub</Page>}
      {facts.offline && !facts.problem && <Offline sentence={facts.offline} />}
    </>
  );
}

/** Why only what is on this machine is told, and another try. */
function Offline({ sentence }: { sentence: string }) {
  const { lookAgain } = useActions();
  return (
    <p className="em-problem em-problem-note" data-testid="offline">
      <Icon name="plug" size={12} />
      <span className="em-grow">
        {sentence}{" "}
        <Button kind="link" testid="look-again" onClick={() => void lookAgain()}>
          Look again
        </Button>
      </span>
    </p>
  );
}

const Page = ({ href, children }: { href: string; children: string }) => (
  <a
    className="em-page nodrag"
    data-testid="source-page"
    href={href}
    target="_blank"
    rel="noreferrer noopener"
    onClick={(e) => e.stopPropagation()}
  >
    {children}
  </a>
);

/** All that is known, by name; in the inspector, where there is room. */
export function Details({ facts }: { facts: SourceFacts | null }) {
  if (!facts || facts.state === "checking" || facts.details.length === 0) return null;
  return (
    <Section title="About">
      <dl className="em-details" data-testid="source-details">
        {facts.details.map((d) => (
          <div key={d.name}>
            <dt>{d.name}</dt>
            <dd>{d.value}</dd>
          </div>
        ))}
      </dl>
      {facts.page && <Page href={facts.page}>Its page on the Hub</Page>}
    </Section>
  );
}
