/** Where edits met others: what has to be chosen, and edits that a kernel never got. */
import { useState } from "react";
import type { Choice } from "../logic/clash";
import { type ClashWords, clashKey, inWords } from "../logic/clash-words";
import { ago } from "../logic/format";
import { useActions, useStudio } from "../state/session";
import { Icon } from "./icons";
import { Button } from "./parts";

const SHOWN = 5;

/** Both sides changed the same: both values are named, and one is chosen. */
export function Conflict() {
  const conflict = useStudio((s) => s.commit.conflict);
  const document = useStudio((s) => s.history.present);
  const { resolve, keepCopy } = useActions();
  const [chosen, setChosen] = useState<Record<string, Choice>>({});
  if (!conflict) return null;
  const clashes = conflict.clashes.map((c) => inWords(c, document, conflict.document));
  const choose = (key: string, choice: Choice) => {
    const all = { ...chosen, [key]: choice };
    setChosen(all);
    if (clashes.every((c) => all[c.key])) {
      setChosen({});
      resolve((clash) => all[clashKey(clash)] ?? "mine");
    }
  };
  const several = clashes.length > 1;
  return (
    <div className="em-banner em-banner-warn" role="alert" data-testid="conflict">
      <Icon name="warn" size={16} />
      <div className="em-grow">
        <b>This project was also changed elsewhere</b>
        <p>
          All other changes were merged. {several ? "These were" : "This was"} changed on both
          sides: choose which to keep.
        </p>
        <ul className="em-clashes">
          {clashes.slice(0, SHOWN).map((clash) => (
            <Line key={clash.key} clash={clash} several={several} chosen={chosen} choose={choose} />
          ))}
          {clashes.length > SHOWN && <li>and {clashes.length - SHOWN} more</li>}
        </ul>
        <div className="em-clash-all">
          <Button testid="use-mine" onClick={() => resolve("mine")}>
            {several ? "Use all of mine" : "Use mine"}
          </Button>
          <Button testid="use-theirs" onClick={() => resolve("theirs")}>
            {several ? "Use all of theirs" : "Use theirs"}
          </Button>
          <Button testid="keep-copy" onClick={() => void keepCopy()}>
            Use theirs, keep mine as a copy
          </Button>
        </div>
      </div>
    </div>
  );
}

interface LineProps {
  clash: ClashWords;
  several: boolean;
  chosen: Record<string, Choice>;
  choose: (key: string, choice: Choice) => void;
}

function Line({ clash, several, chosen, choose }: LineProps) {
  const { key, about, mine, theirs } = clash;
  if (!several) {
    return (
      <li data-testid="clash">
        {about}: <b>{mine}</b> here, <b>{theirs}</b> there
      </li>
    );
  }
  const side = (choice: Choice, text: string) => (
    <Button
      kind={chosen[key] === choice ? "primary" : "secondary"}
      pressed={chosen[key] === choice}
      label={`${about}: ${text}`}
      onClick={() => choose(key, choice)}
    >
      {text}
    </Button>
  );
  return (
    <li data-testid="clash" className="em-clash-choice">
      <span className="em-clash-about">{about}: </span>
      {side("mine", `${mine} here`)} {side("theirs", `${theirs} there`)}
    </li>
  );
}

/** Edits of a page that was closed before a kernel had them. */
export function Offer() {
  const offer = useStudio((s) => s.commit.offer);
  const { answerDraft } = useActions();
  if (!offer) return null;
  const when = ago(new Date(offer.at).toISOString(), Date.now());
  const kept = when === "now" ? "a moment ago" : when;
  return (
    <div className="em-banner em-banner-info" role="status" data-testid="draft">
      <Icon name="clock" size={16} />
      <div className="em-grow">
        <b>Edits made while the kernel was away</b>
        <p>They were kept in this browser {kept} and are not part of the project yet.</p>
      </div>
      <Button testid="draft-use" onClick={() => void answerDraft(true)}>
        Use them
      </Button>
      <Button testid="draft-discard" onClick={() => void answerDraft(false)}>
        Discard them
      </Button>
    </div>
  );
}
