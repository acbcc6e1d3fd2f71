/** The menu of what lies under the pointer, or has the focus: nodes, a connection, the pane. */
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { type Command, hint, isMac } from "../logic/shortcuts";
import { useStudio } from "../state/session";
import { ALIGNMENTS } from "./alignments";
import type { Commands } from "./commands";
import { useNodeItems } from "./node-items";
import { type MenuItem, MenuItems } from "./parts";
import { type Popup, useView } from "./view";

type MenuPopup = Extract<Popup, { kind: "menu" }>;
const EDGE = 8;
const mac = isMac(navigator.platform);

export function ContextMenu({ popup, commands }: { popup: MenuPopup; commands: Commands }) {
  const root = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState({ left: 0, top: 0 });
  const { el } = useView();
  useLayoutEffect(() => {
    const box = root.current?.getBoundingClientRect();
    const room = el.querySelector(".em-canvas")?.getBoundingClientRect();
    if (!box || !room) return;
    const within = (wish: number, length: number, from: number, to: number) =>
      Math.max(EDGE, Math.min(wish, to - length - EDGE) - from);
    setAt({
      left: within(popup.at.x, box.width, room.left, room.right),
      top: within(popup.at.y, box.height, room.top, room.bottom),
    });
  }, [popup, el]);
  useEffect(() => {
    root.current
      ?.querySelector<HTMLElement>("button:not(:disabled)")
      ?.focus({ preventScroll: true });
  }, []);
  const items = useItems(popup, commands);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only watches the focus leave
    <div
      ref={root}
      className="em-popup em-context nokey nodrag"
      data-testid="context-menu"
      style={at}
      onBlur={(e) => {
        if (!e.currentTarget.contains(e.relatedTarget)) commands.close(false);
      }}
      onContextMenu={(e) => {
        e.preventDefault();
        e.stopPropagation();
      }}
    >
      <MenuItems items={items} onClose={commands.close} />
    </div>
  );
}

function useItems(popup: MenuPopup, commands: Commands): MenuItem[] {
  const { nodes, edges, at } = popup;
  const { run, clip, show, align } = commands;
  const single = useNodeItems(nodes[0] ?? "", commands);
  const empty = useStudio((s) => s.history.present.nodes.length === 0);
  const item = (
    command: Command,
    label: string,
    icon?: MenuItem["icon"],
    more: Partial<MenuItem> = {},
  ): MenuItem => ({
    label,
    icon,
    hint: hint(command, mac),
    testid: `menu-${command}`,
    onSelect: () => run[command](null),
    ...more,
  });
  if (nodes.length === 1) return single;
  if (nodes.length > 1) {
    return [
      item("copy", `Copy ${nodes.length} nodes`, "copy"),
      item("cut", "Cut", "cut"),
      item("duplicate", "Duplicate", "duplicate"),
      ...ALIGNMENTS.map(({ how, label, icon }, i) => ({
        label,
        icon,
        rule: i === 0 || how === "across",
        testid: `menu-align-${how}`,
        onSelect: () => align(nodes, how),
      })),
      item("remove", `Delete ${nodes.length} nodes`, "trash", { danger: true, rule: true }),
    ];
  }
  if (edges.length > 0) {
    const [edge = ""] = edges;
    const one = edges.length === 1;
    const label = one ? "Delete the connection" : "Delete the connections";
    const elsewhere = { onSelect: () => commands.moveEdge(edge) };
    return [
      ...(one ? [item("connect", "Connect elsewhere", "link", elsewhere)] : []),
      item("remove", label, "trash", {
        danger: true,
        onSelect: () => commands.removeEdges(edges),
      }),
    ];
  }
  return [
    item("search", "Search and add", "search", {
      onSelect: () => commands.open({ kind: "search", at, free: false, from: [], existing: false }),
    }),
    item("note", "Add a note", "note", { onSelect: () => commands.noteAt(at) }),
    item("paste", "Paste", "paste", {
      onSelect: () => void clip.paste(commands.flowPoint(at)).then(show),
    }),
    item("selectAll", "Select all", undefined, { disabled: empty, rule: true }),
    item("arrange", "Arrange the nodes", "layout", { disabled: empty }),
    item("showAll", "Show everything", "fit", { disabled: empty }),
    item("undo", "Undo", "undo", { rule: true }),
    item("redo", "Redo", "redo"),
    {
      label: "Clear the canvas",
      danger: true,
      disabled: empty,
      rule: true,
      testid: "menu-clear",
      onSelect: commands.clear,
    },
  ];
}
