/** Everything that the user allowed on this machine, in whatever project, and a way to take it back. */
import { useState } from "react";
import { date } from "../../logic/format";
import type { ConsentItem } from "../../protocol";
import { useActions, useSession } from "../../state/session";
import { Button } from "../parts";

const WHAT = { code: "its Python code runs", pickled: "its pickled weights are opened" };

export function Consents() {
  const { call } = useSession();
  const { say, withdraw } = useActions();
  const [items, setItems] = useState<ConsentItem[] | null>(null);
  const load = async () => {
    try {
      setItems((await call("consents", {})).items);
    } catch (error) {
      say((error as Error).message);
    }
  };
  if (items === null)
    return (
      <Button kind="link" testid="consents-show" onClick={() => void load()}>
        What I allowed on this machine
      </Button>
    );
  return (
    <section className="em-section" aria-label="What you allowed" data-testid="consents">
      <h3>What you allowed on this machine</h3>
      {items.length === 0 && <p className="em-muted">No model may run its own code here.</p>}
      {items.map((item) => (
        <div key={`${item.kind} ${item.repo} ${item.commit}`} className="em-consent">
          <p className="em-grow">
            <b dir="auto">{item.repo}</b>: {WHAT[item.kind]}
            {item.given && `, since ${date(item.given)}`}
          </p>
          <Button
            testid="consent-withdraw"
            label={`Allow ${item.repo} no longer`}
            onClick={() => {
              const { kind, repo, commit } = item;
              void withdraw({ kind, repo, commit }).then(load);
            }}
          >
            Take back
          </Button>
        </div>
      ))}
    </section>
  );
}
