/** What can be done with a node from the outline: the same as on the canvas, in words. */
import { accepted, refusal } from "../../logic/audit";
import { nameOf } from "../../logic/names";
import { type Choice, detailOf, type InputLine, sourcesFor, targetsFor } from "../../logic/outline";
import { KINDS } from "../../logic/ports";
import { isActive, latest } from "../../logic/runs";
import { useActions, useSession } from "../../state/session";
import { standing } from "../gate";
import type { Pick } from "./Picker";
import type { RowProps } from "./Row";

export function useChoices(p: RowProps) {
  const { store } = useSession();
  const actions = useActions();
  const { node, inputs } = p.line;
  const doc = () => store.getState().history.present;
  const cut = (edge: string) => actions.remove(new Set(), new Set([edge]));

  function runs(): Pick[] {
    const s = store.getState();
    const run = latest(s.traits.runs.items, node.id);
    const off = s.lostSince === null ? null : "The kernel does not answer.";
    if (run && isActive(run)) {
      const stop = () => actions.stopNode(node.id);
      return [{ label: "Stop", icon: "stop", testid: "outline-stop", refused: off, onPick: stop }];
    }
    const refused =
      off ?? refusal(s.traits.problems.audits[node.id], standing(s, node), accepted(node));
    const picks: Pick[] = [
      {
        label: run ? "Train again" : "Train",
        icon: "play",
        testid: "outline-train",
        refused,
        onPick: () => void actions.train(node.id),
      },
    ];
    if (!run) return picks;
    if (run.resumable) {
      picks.unshift({
        label: "Resume",
        icon: "redo",
        refused: off,
        onPick: () => void actions.resume(run.id),
      });
    }
    const look = () => actions.showTab("analytics", run.id);
    return [...picks, { label: "Open analytics", icon: "analytics", onPick: look }];
  }

  return {
    actions(): Pick[] {
      const feeds = targetsFor(doc(), node.id).length > 0;
      const taken = inputs.filter((i) => i.edge);
      return [
        ...(KINDS[node.type]?.inputs.model ? runs() : []),
        { label: "Details", icon: "open", onPick: () => actions.inspect(node.id) },
        {
          label: "Show on the canvas",
          icon: "canvas",
          testid: "outline-show",
          onPick: () => p.onShow(node.id),
        },
        {
          label: "Rename",
          icon: "pen",
          testid: "outline-rename",
          onPick: () => p.onOpen("rename"),
        },
        ...(feeds
          ? [
              {
                label: "Connect to …",
                icon: "right" as const,
                testid: "outline-connect",
                onPick: () => p.onOpen("connect"),
              },
            ]
          : []),
        ...taken.map(
          ({ handle, edge }): Pick => ({
            label: `Disconnect ${handle}`,
            icon: "cross",
            testid: `outline-disconnect-${handle}`,
            onPick: () => edge && cut(edge.id),
          }),
        ),
        {
          label: "Duplicate",
          icon: "copy",
          testid: "outline-duplicate",
          onPick: () => {
            const [made] = actions.duplicateAll([node.id]);
            p.onMade(made ?? node.id);
          },
        },
        {
          label: "Delete",
          icon: "trash",
          danger: true,
          testid: "outline-delete",
          onPick: () => p.onRemove(node.id),
        },
      ];
    },
    targets: (): Pick[] =>
      targetsFor(doc(), node.id).map((choice) => ({
        ...named(choice),
        ...(Object.keys(KINDS[choice.node.type]?.inputs ?? {}).length > 1 && {
          detail: `${choice.link.targetHandle} of ${detailOf(choice.node)}`,
        }),
        onPick: () => actions.connect(choice.link),
      })),
    sources: ({ handle, edge, from }: InputLine): Pick[] => [
      ...sourcesFor(doc(), node.id, handle).map((choice) => ({
        ...named(choice),
        chosen: choice.node.id === from?.id,
        onPick: () => {
          if (choice.node.id !== from?.id) actions.connect(choice.link);
        },
      })),
      {
        label: "Not connected",
        chosen: from === null,
        onPick: () => edge && cut(edge.id),
      },
    ],
  };
}

const named = ({ node }: Choice) => ({ label: nameOf(node), detail: detailOf(node) });
