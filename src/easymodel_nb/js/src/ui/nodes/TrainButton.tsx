/** Train Model, Train again. The filled one while it is the only Finetuning node. */
import { accepted, refusal } from "../../logic/audit";
import { countOf, nodeOf } from "../../logic/lookup";
import { runsOf, sweepOf } from "../../logic/sweep";
import type { Node } from "../../protocol";
import { useActions, useStudio } from "../../state/session";
import type { State } from "../../state/store";
import { standing } from "../gate";
import { Button } from "../parts";

/** Why a node may not be trained now; null where it may. */
const refusedBy = (s: State, node: Node | undefined): string | null =>
  node ? refusal(s.traits.problems.audits[node.id], standing(s, node), accepted(node)) : null;

/** Whether there is one Finetuning node, whose own button is then the filled one. */
export const useOnly = (): boolean =>
  useStudio((s) => countOf(s.history.present, "finetune") === 1);

interface TrainProps {
  node: string;
  label: string;
  /** Another button is the likelier one: Resume. */
  second?: boolean;
}

export function TrainButton({ node, label, second = false }: TrainProps) {
  const actions = useActions();
  const only = useOnly() && !second;
  const lost = useStudio((s) => s.lostSince !== null);
  const starting = useStudio((s) => s.starting.includes(node) || s.starting.includes("*"));
  const runs = useStudio((s) => {
    const found = nodeOf(s.history.present, node);
    return found ? runsOf(sweepOf(found)) : 1;
  });
  const refused = useStudio((s) => refusedBy(s, nodeOf(s.history.present, node)));
  const button = (
    <Button
      icon="play"
      kind={only ? "primary" : "secondary"}
      className="em-train"
      testid="train"
      disabled={lost || starting || refused !== null}
      onClick={() => void actions.train(node)}
    >
      {starting ? "Starting" : runs > 1 ? `Train ${runs} runs` : label}
    </Button>
  );
  if (!refused) return button;
  return (
    <div className="em-train-refused">
      {button}
      <small data-testid="train-refused">{refused}</small>
    </div>
  );
}

export function OpenAnalytics({ run }: { run: string }) {
  const { showTab } = useActions();
  return (
    <Button icon="analytics" onClick={() => showTab("analytics", run)}>
      Open analytics
    </Button>
  );
}
