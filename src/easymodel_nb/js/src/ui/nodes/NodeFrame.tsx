/** What every node has: header with status ring, title, status word and menu. */
import { useStore } from "@xyflow/react";
import { type ReactNode, useState } from "react";
import { titleOf } from "../../logic/ports";
import type { Node } from "../../protocol";
import { isOpen } from "../../state/actions";
import { useActions, useStudio } from "../../state/session";
import { Icon, type IconName, Ring } from "../icons";
import { InlineEdit, Menu, type MenuItem } from "../parts";

export const CLOSED_BELOW = 0.7;

/** Whether a node is drawn open: as the user left it, and never when it would be too small. */
export function useOpen(id: string): boolean {
  const near = useStore((s) => s.transform[2] >= CLOSED_BELOW);
  const open = useStudio((s) => isOpen(s, id));
  return near && open;
}

export const useNode = (id: string): Node | undefined =>
  useStudio((s) => s.history.present.nodes.find((n) => n.id === id));

interface FrameProps {
  node: Node;
  icon: IconName;
  className: string;
  children?: ReactNode;
  word?: ReactNode;
  /** 0 to 1 round the icon. */
  ring?: number;
  menu?: MenuItem[];
}

export function NodeFrame(p: FrameProps) {
  const { node, icon } = p;
  const actions = useActions();
  const open = useStudio((s) => isOpen(s, node.id));
  const [renaming, setRenaming] = useState(false);
  const title = node.label ?? titleOf(node.type);
  const exports = (["script", "notebook"] as const).map((to) => ({
    label: `Export as ${to}`,
    icon: "code" as const,
    testid: `menu-export-${to}`,
    onSelect: () => void actions.exportNode(node.id, to),
  }));
  const menu: MenuItem[] = [
    ...(p.menu ?? []),
    { label: "Details", icon: "open", onSelect: () => actions.inspect(node.id) },
    {
      label: open ? "Close" : "Open",
      icon: open ? "minus" : "down",
      onSelect: () => actions.setOpen(node.id, !open),
    },
    { label: "Rename", icon: "pen", onSelect: () => setRenaming(true) },
    { label: "Duplicate", icon: "copy", onSelect: () => actions.duplicate(node.id) },
    ...(node.type === "finetune" ? exports : []),
    {
      label: "Delete",
      icon: "trash",
      danger: true,
      onSelect: () => actions.remove(new Set([node.id]), new Set()),
    },
  ];
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
            onDone={(label) => {
              setRenaming(false);
              if (label) actions.setLabel(node.id, label);
            }}
          />
        ) : (
          <b className="em-ellipsis em-grow" title={title}>
            {title}
          </b>
        )}
        {p.word}
        <Menu label={`Menu of ${title}`} items={menu} />
      </header>
      {p.children}
    </article>
  );
}
