/**
 * Whether the check forbids this run. While an edit is under way its answer is of the
 * past, and Python decides.
 */
function isBlocked(s: State, node: string): boolean {
  return s.commit.unsaved === 0 && blocks(s.traits.problems.items, s.history.present, node);
}

import { blocks } from "../../logic/runs";
/** Train Model, Train again. The filled one while it is the only Finetuning node. */
import { useActions, useStudio } from "../../state/session";
import type { State } from "../../state/store";
import { Button } from "../parts";

export function TrainButton({ node, label }: { node: string; label: string }) {
  const actions = useActions();
  const only = useStudio(
    (s) => s.history.present.nodes.filter((n) => n.type === "finetune").length === 1,
  );
  const lost = useStudio((s) => s.lostSince !== null);
  const starting = useStudio((s) => s.starting.includes(node) || s.starting.includes("*"));
  const blocked = useStudio((s) => isBlocked(s, node));
  return (
    <Button
      icon="play"
      kind={only ? "primary" : "secondary"}
      className="em-train"
      testid="train"
      disabled={lost || starting || blocked}
      onClick={() => void actions.train(node)}
    >
      {starting ? "Starting" : label}
    </Button>
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
