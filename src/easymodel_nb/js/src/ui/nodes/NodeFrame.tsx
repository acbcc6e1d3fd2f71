/** What every node has: header with status ring, title, status word and menu. */
import type { NodeProps } from "@xyflow/react";
import { type ReactNode, useRef } from "react";
import { nodeOf } from "../../logic/lookup";
import { titleOf } from "../../logic/ports";
import type { Node, Problem } from "../../protocol";
import { isOpen } from "../../state/actions";
import { useActions, useStudio } from "../../state/session";
import { useCommands } from "../commands";
import { Icon, type IconName, Ring } from "../icons";
import { InlineEdit } from "../parts";
import { useView, useViewState } from "../view";

/** Whether a node is drawn open: as the user left it, and never when it would be too small. */
export function useOpen(id: string): boolean {
  const open = useStudio((s) => isOpen(s, id));
  return useViewState((s) => open && s.near); // one that is closed anyway is not drawn again
}

/** The node as it is drawn: a new one when more changed than where it lies. */
export function useNode(id: string): Node | undefined {
  const kept = useRef<Node>(undefined);
  return useStudio((s) => {
    const [now, before] = [nodeOf(s.history.present, id), kept.current];
    const stays =
      now?.id === before?.id &&
      now?.type === before?.type &&
      now?.label === before?.label &&
      now?.data === before?.data;
    if (!stays) kept.current = now;
    return kept.current;
  });
}

/** What a node draws hangs on its id; React Flow also tells it where it lies, at each move. */
export const sameId = (before: NodeProps, after: NodeProps) => before.id === after.id;

interface FrameProps {
  node: Node;
  icon: IconName;
  className: string;
  children?: ReactNode;
  word?: ReactNode;
  /** 0 to 1 round the icon. */
  ring?: number;
}

export function NodeFrame(p: FrameProps) {
  const { node, icon } = p;
  const actions = useActions();
  const commands = useCommands();
  const { store } = useView();
  const open = useStudio((s) => isOpen(s, node.id));
  const renaming = useViewState((s) => s.renaming === node.id);
  const title = node.label ?? titleOf(node.type);
  return (
    <article className={`em-node ${p.className}`} aria-label={title}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the menu does the same by keyboard */}
      <header className="em-node-head" onDoubleClick={() => actions.setOpen(node.id, !open)}>
        <span className={`em-status-ring em-kind-${icon}`}>
          {p.ring !== undefined && <Ring value={p.ring} size={24} />}
          <Icon name={icon} size={13} />
        </span>
        {renaming ? (
          <InlineEdit
            value={title}
            label="Node name"
            testid="node-rename"
            onDone={(label) => {
              const typing = document.activeElement?.getAttribute("data-testid") === "node-rename";
              store.setState({ renaming: null });
              if (label) actions.setLabel(node.id, label);
              if (typing) commands.focus.node(node.id);
            }}
          />
        ) : (
          // biome-ignore lint/a11y/noStaticElementInteractions: F2 and the menu do the same
          <b
            className="em-ellipsis em-grow"
            title={title}
            dir="auto"
            onDoubleClick={(e) => {
              e.stopPropagation();
              store.setState({ renaming: node.id });
            }}
          >
            {title}
          </b>
        )}
        {p.word}
        <MenuButton id={node.id} title={title} />
      </header>
      {p.children}
    </article>
  );
}

/** On a closed node, whose fields cannot say it. */
export function Wrong({ problems }: { problems: Problem[] }) {
  const count = problems.filter((p) => p.severity === "error").length;
  if (count === 0) return null;
  const words = count === 1 ? "1 problem" : `${count} problems`;
  return (
    <span className="em-word em-wrong" title={words}>
      <Icon name="alert" size={12} />
      <span aria-hidden="true">{count}</span>
      <span className="em-hidden">{words}</span>
    </span>
  );
}

/** Opens what a right click opens too. */
function MenuButton({ id, title }: { id: string; title: string }) {
  const commands = useCommands();
  const open = useViewState(
    (s) => s.popup?.kind === "menu" && s.popup.nodes.length === 1 && s.popup.nodes[0] === id,
  );
  return (
    <button
      type="button"
      className="em-button em-quiet em-icon-button em-menu-button nodrag"
      aria-label={`Menu of ${title}`}
      aria-haspopup="menu"
      aria-expanded={open}
      onClick={(e) => {
        e.stopPropagation();
        const { left, bottom } = e.currentTarget.getBoundingClientRect();
        const at = { x: left, y: bottom + 4 };
        commands.open({ kind: "menu", at, nodes: [id], edges: [] });
      }}
    >
      <Icon name="dots" />
    </button>
  );
}
