/** One project of the list. */
import { type MouseEvent, memo } from "react";
import { ago, initials, percent } from "../../logic/format";
import type { ProjectItem } from "../../protocol";
import { Icon, Ring } from "../icons";
import { InlineEdit } from "../parts";

interface RowProps {
  item: ProjectItem;
  rail: boolean;
  active: boolean;
  /** It is the one that Tab reaches. */
  reached: boolean;
  renaming: boolean;
  /** Its menu is open. */
  menu: boolean;
  dragged: boolean;
  drop: "before" | "after" | null;
  now: number;
  onOpen: (id: string) => void;
  onMenu: (id: string, row: HTMLElement) => void;
  onRename: (id: string) => void;
  onNamed: (id: string, name: string | null) => void;
}

function ProjectRow(p: RowProps) {
  const { item, rail, active } = p;
  const menu = (e: MouseEvent<HTMLElement>) => {
    e.preventDefault();
    e.stopPropagation();
    p.onMenu(item.id, e.currentTarget);
  };
  return (
    <li
      className="em-project"
      data-row={item.id}
      data-active={active || undefined}
      data-menu={p.menu || undefined}
      data-dragged={p.dragged || undefined}
      data-drop={p.drop ?? undefined}
      data-training={item.training !== null || undefined}
      onContextMenu={rail ? undefined : menu}
    >
      {p.renaming ? (
        <InlineEdit
          value={item.name}
          label="Project name"
          testid="project-rename-input"
          onDone={(name) => p.onNamed(item.id, name)}
        />
      ) : (
        <button
          type="button"
          className="em-project-open"
          data-testid="project-item"
          data-project-id={item.id}
          aria-current={active ? "true" : undefined}
          aria-label={rail ? item.name : undefined}
          title={item.name}
          tabIndex={p.reached ? 0 : -1}
          onClick={() => p.onOpen(item.id)}
          onDoubleClick={() => !rail && p.onRename(item.id)}
        >
          <span className={rail ? "em-initials" : "em-ellipsis em-grow"} dir="auto">
            {rail ? initials(item.name) : item.name}
          </span>
          <Activity item={item} rail={rail} now={p.now} />
        </button>
      )}
      {!rail && !p.renaming && (
        <button
          type="button"
          className="em-button em-quiet em-icon-button em-project-more"
          aria-label={`Menu of ${item.name}`}
          aria-haspopup="menu"
          aria-expanded={p.menu}
          tabIndex={p.reached ? 0 : -1}
          onClick={menu}
        >
          <Icon name="dots" />
        </button>
      )}
    </li>
  );
}

/** Percent and ring while it trains; else the time since its last run. */
function Activity({ item, rail, now }: { item: ProjectItem; rail: boolean; now: number }) {
  if (item.training !== null) {
    return (
      <span className="em-training">
        <span className="em-hidden">training, </span>
        {!rail && percent(item.training)}
        <Ring value={item.training} />
      </span>
    );
  }
  return rail ? null : <span className="em-when">{ago(item.last_run, now)}</span>;
}

/** Each snapshot of Python's brings new objects, so what is shown is compared. */
export const Row = memo(ProjectRow, (a, b) => {
  const keys = Object.keys(a) as (keyof RowProps)[];
  return keys.every((key) => key === "item" || a[key] === b[key]) && shown(a.item, b.item);
});

const shown = (a: ProjectItem, b: ProjectItem) =>
  a.name === b.name && a.training === b.training && a.last_run === b.last_run && a.id === b.id;
