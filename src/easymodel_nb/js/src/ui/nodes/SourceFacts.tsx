/** What is known of a source, once somebody looked. */
import { shortSource } from "../../logic/format";
import type { SourceFacts } from "../../protocol";
import { useStudio } from "../../state/session";
import { Icon } from "../icons";

/** The facts, if they are about the source that stands in the field now. */
export function useFacts(id: string, source: string): SourceFacts | null {
  const facts = useStudio((s) => s.traits.catalog.facts[id] ?? null);
  return facts && facts.source === source.trim() ? facts : null;
}

export function Facts({ id, source }: { id: string; source: string }) {
  const facts = useFacts(id, source);
  if (!source || !facts || facts.state === "unknown") return null;
  if (facts.state === "checking")
    return <p className="em-facts em-muted">Looking at {shortSource(source)}</p>;
  if (facts.lines.length === 0) return null;
  const ok = facts.state === "ok";
  return (
    <div className="em-facts">
      <span className={ok ? "em-ok-text" : "em-warn-text"}>
        <Icon name={ok ? "check" : "warn"} size={14} />
      </span>
      <div className="em-grow">
        {facts.lines.slice(0, 2).map((line) => (
          <p key={line} className="em-ellipsis" title={line}>
            {line}
          </p>
        ))}
      </div>
    </div>
  );
}
