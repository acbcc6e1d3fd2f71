/** Train Model, Train again. The filled one while it is the only Finetuning node. */
import { accepted, refusal } from "../../logic/audit";
import { blocks } from "../../logic/runs";
import { useActions, useStudio } from "../../state/session";
import type { State } from "../../state/store";
import { Button } from "../parts";

/**
 * Whether the check forbids this run. While an edit is under way its answer is of the
 * past, and Python decides.
 */
function isBlocked(s: State, node: string): boolean {
  return s.commit.unsaved === 0 && blocks(s.traits.problems.items, s.history.present, node);
}

/** Why the gate keeps a node from training; null where it does not, or is not done. */
function refusedBy(s: State, id: string): string | null {
  const node = s.history.present.nodes.find((n) => n.id === id);
  if (!node || s.commit.unsaved > 0) return null;
  return refusal(s.traits.problems.audits[id], accepted(node));
}

/** Whether there is one Finetuning node, whose own button is then the filled one. */
export const useOnly = (): boolean =>
  useStudio((s) => s.history.present.nodes.filter((n) => n.type === "finetune").length === 1);

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
  const blocked = useStudio((s) => isBlocked(s, node));
  const refused = useStudio((s) => refusedBy(s, node));
  const button = (
    <Button
      icon="play"
      kind={only ? "primary" : "secondary"}
      className="em-train"
      testid="train"
      disabled={lost || starting || blocked || refused !== null}
      onClick={() => void actions.train(node)}
    >
      {starting ? "Starting" : label}
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
