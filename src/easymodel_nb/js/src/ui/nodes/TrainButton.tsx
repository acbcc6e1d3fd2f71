/** Train Model, Train again. The filled one while it is the only Finetuning node. */
import { useActions, useStudio } from "../../state/session";
import { Button } from "../parts";

export function TrainButton({ node, label }: { node: string; label: string }) {
  const actions = useActions();
  const only = useStudio(
    (s) => s.history.present.nodes.filter((n) => n.type === "finetune").length === 1,
  );
  const lost = useStudio((s) => s.lostSince !== null);
  const starting = useStudio((s) => s.starting.includes(node) || s.starting.includes("*"));
  return (
    <Button
      icon="play"
      kind={only ? "primary" : "secondary"}
      className="em-train"
      testid="train"
      disabled={lost || starting}
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
