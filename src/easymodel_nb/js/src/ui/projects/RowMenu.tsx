/** The menu of one project: outside of the list, whose scrolling would cut it off. */
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { step } from "../../logic/project-list";
import { useActions, useStudio } from "../../state/session";
import { type MenuItem, MenuItems } from "../parts";

const EDGE = 4;

export interface Open {
  id: string;
  row: HTMLElement;
}

interface Props extends Open {
  ids: string[];
  onRename: (id: string) => void;
  onClose: () => void;
}

export function RowMenu({ id, row, ids, onRename, onClose }: Props) {
  const actions = useActions();
  const held = useStudio((s) => s.traits.document.held !== null && s.projectId === id);
  const training = useStudio(
    (s) => (s.traits.projects.items.find((p) => p.id === id)?.training ?? null) !== null,
  );
  const root = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const menu = root.current;
    const [home, side] = [menu?.offsetParent, menu?.closest(".em-sidebar")];
    if (!menu || !home || !side) return;
    const room = side.getBoundingClientRect();
    const wish = row.getBoundingClientRect().bottom;
    const last = room.bottom - menu.offsetHeight - EDGE;
    setTop(Math.max(room.top + EDGE, Math.min(wish, last)) - home.getBoundingClientRect().top);
  }, [row]);
  useEffect(() => {
    root.current
      ?.querySelector<HTMLElement>("button:not(:disabled)")
      ?.focus({ preventScroll: true });
  }, []);
  const close = (refocus: boolean) => {
    onClose();
    if (refocus) row.querySelector<HTMLElement>(".em-project-open")?.focus({ preventScroll: true });
  };
  const [up, down] = [step(ids, id, -1), step(ids, id, 1)];
  const move = (before: string | null | undefined) => {
    if (before !== undefined) void actions.projectMove(id, before);
  };
  const items: MenuItem[] = [
    {
      label: "Rename",
      icon: "pen",
      hint: "F2",
      testid: "project-rename",
      disabled: held,
      onSelect: () => onRename(id),
    },
    {
      label: "Duplicate",
      icon: "copy",
      testid: "project-duplicate",
      onSelect: () => void actions.projectDuplicate(id),
    },
    {
      label: "Export",
      icon: "download",
      testid: "project-export",
      onSelect: () => void actions.projectExport(id),
    },
    {
      label: "Move up",
      hint: "Alt ↑",
      rule: true,
      testid: "project-up",
      disabled: up === undefined,
      onSelect: () => move(up),
    },
    {
      label: "Move down",
      hint: "Alt ↓",
      testid: "project-down",
      disabled: down === undefined,
      onSelect: () => move(down),
    },
    {
      label: "Delete",
      icon: "trash",
      hint: "Del",
      rule: true,
      danger: true,
      testid: "project-delete",
      disabled: held || training,
      onSelect: () => void actions.projectDelete(id),
    },
  ];
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only watches the focus leave
    <div
      ref={root}
      className="em-row-menu nokey"
      style={{ top }}
      onBlur={(e) => {
        const to = e.relatedTarget;
        // A press on the row's own button closes it by itself.
        if (!e.currentTarget.contains(to) && !to?.closest(".em-project-more")) onClose();
      }}
    >
      <MenuItems items={items} onClose={close} />
    </div>
  );
}
