/** What a node's menu holds: behind its three dots and on a right click the same. */
import { type Command, hint, isMac } from "../logic/shortcuts";
import { isOpen } from "../state/actions";
import { useActions, useStudio } from "../state/session";
import type { Commands } from "./commands";
import type { MenuItem } from "./parts";
import { useView } from "./view";

const mac = isMac(navigator.platform);

export function useNodeItems(id: string, commands: Commands): MenuItem[] {
  const actions = useActions();
  const { store } = useView();
  const open = useStudio((s) => isOpen(s, id));
  const type = useStudio((s) => s.history.present.nodes.find((n) => n.id === id)?.type);
  const { clip, focus } = commands;
  const item = (
    command: Command,
    label: string,
    icon: MenuItem["icon"],
    onSelect: () => void,
  ): MenuItem => ({ label, icon, hint: hint(command, mac), testid: `menu-${command}`, onSelect });
  const exports = (["script", "notebook"] as const).map((to, i) => ({
    label: `Export as ${to}`,
    icon: "code" as const,
    testid: `menu-export-${to}`,
    rule: i === 0,
    onSelect: () => void actions.exportNode(id, to),
  }));
  const connects = type === "model" || type === "dataset" || type === "finetune";
  return [
    item("details", "Details", "open", () => actions.inspect(id)),
    item("fold", open ? "Close" : "Open", open ? "minus" : "down", () =>
      actions.setOpen(id, !open),
    ),
    item("rename", "Rename", "pen", () => store.setState({ renaming: id })),
    ...(connects ? [item("connect", "Connect", "link", () => commands.connectNode(id))] : []),
    { ...item("copy", "Copy", "copy", () => clip.copy([id])), rule: true },
    item("cut", "Cut", "cut", () => clip.cut([id])),
    item("duplicate", "Duplicate", "duplicate", () => commands.duplicate([id])),
    ...(type === "finetune" ? exports : []),
    {
      ...item("remove", "Delete", "trash", () => {
        actions.remove(new Set([id]), new Set());
        focus.canvas();
      }),
      danger: true,
      rule: true,
    },
  ];
}
