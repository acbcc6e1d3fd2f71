/** What waits and what is under way, in every project: places, moved and cancelled. */
import { type KeyboardEvent, useEffect, useRef } from "react";
import { ordinal, percent } from "../logic/format";
import type { QueueItem } from "../protocol";
import { useActions, useStudio } from "../state/session";
import { Icon } from "./icons";
import { Popover } from "./Popover";
import { Button } from "./parts";
import { landsAt, useReorder } from "./projects/reorder";

/** Shown while a run waits, or one of another project is under way. */
export function Queue() {
  const waiting = useStudio((s) => s.traits.runs.waiting);
  const underWay = useStudio((s) => s.traits.runs.under_way);
  const project = useStudio((s) => s.projectId);
  const elsewhere = underWay.filter((item) => item.project_id !== project).length;
  const count = waiting.length;
  const number = count > 0 ? count : elsewhere;
  const word = count > 0 ? "in queue" : "in other projects";
  return (
    <Popover
      name="queue"
      className="em-button em-quiet em-queue"
      label="Queue"
      title={`${number} ${word}. Show what waits and what trains.`}
      shown={count > 0 || elsewhere > 0}
      button={
        <>
          <Icon name="clock" size={14} />
          {number} <span className="em-hidden">{word}</span>
        </>
      }
    >
      <Panel waiting={waiting} underWay={underWay} project={project} />
    </Popover>
  );
}

interface PanelProps {
  waiting: QueueItem[];
  underWay: QueueItem[];
  project: string;
}

function Panel({ waiting, underWay, project }: PanelProps) {
  const list = useRef<HTMLOListElement>(null);
  const { queueMove } = useActions();
  const lost = useStudio((s) => s.lostSince !== null);
  const order = waiting.filter((item) => item.place !== null).map((item) => item.run);
  const { drag, handlers } = useReorder(list, !lost && order.length > 1, (run, before) => {
    const others = order.filter((other) => other !== run);
    void queueMove(run, before === null ? others.length : others.indexOf(before));
  });
  return (
    <>
      {underWay.length > 0 && (
        <ul aria-label="Under way">
          {underWay.map((item) => (
            <Item key={item.run} item={item} project={project} />
          ))}
        </ul>
      )}
      <ol ref={list} aria-label="Waiting" data-dragging={drag !== null || undefined} {...handlers}>
        {waiting.map((item) => (
          <Item
            key={item.run}
            item={item}
            project={project}
            waiting={waiting}
            dragged={drag?.id === item.run}
            drop={landsAt(drag?.before, item.run, item.run === order.at(-1))}
          />
        ))}
      </ol>
      {waiting.length === 0 && <p className="em-muted">Nothing waits.</p>}
      {waiting.length > 1 && (
        <small>Drag a run to move it, or Alt with the arrow keys; Delete cancels it.</small>
      )}
    </>
  );
}

interface ItemProps {
  item: QueueItem;
  project: string;
  /** The others that wait; none for what is under way. */
  waiting?: QueueItem[];
  dragged?: boolean;
  /** What is dragged would land before or after this one. */
  drop?: "before" | "after" | null;
}

function Item({ item, project, waiting, dragged, drop }: ItemProps) {
  const { stop, queueMove } = useActions();
  const lost = useStudio((s) => s.lostSince !== null);
  const stopping = useStudio((s) => s.stopping.includes(item.run) || s.stopping.includes("*"));
  const row = useRef<HTMLLIElement>(null);
  const moved = useRef(false);
  const { place } = item;
  const last = (waiting?.filter((w) => w.place !== null).length ?? 0) - 1;
  const title = [item.title, item.variant].filter(Boolean).join(", ");
  const name = `${title}${item.project_id === project ? "" : ` of ${item.project || "no project"}`}`;
  // A row that is moved in the page loses the focus.
  useEffect(() => {
    if (!moved.current || place === null) return;
    moved.current = false;
    row.current?.focus({ preventScroll: true });
  }, [place]);
  const move = (by: number) => {
    if (place === null || lost || place + by < 0 || place + by > last) return;
    moved.current = true;
    void queueMove(item.run, place + by);
  };
  const onKeyDown = (e: KeyboardEvent) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[e.key];
    if (by !== undefined && e.altKey) move(by);
    else if (by !== undefined) neighbour(row.current, by)?.focus({ preventScroll: true });
    else if (e.key === "Delete" && waiting && !lost) void stop(item.run);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <li
      ref={row}
      className="em-queue-item"
      data-testid="queue-item"
      data-run-id={item.run}
      data-row={place !== null ? item.run : undefined}
      data-dragged={dragged || undefined}
      data-drop={drop ?? undefined}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: its keys move and cancel it
      tabIndex={0}
      aria-label={`${name}, ${where(item, waiting)}`}
      onKeyDown={onKeyDown}
    >
      <span className="em-queue-place">
        {place !== null ? place + 1 : <Icon name={waiting ? "clock" : "play"} size={12} />}
      </span>
      <span className="em-grow em-queue-names">
        <span className="em-ellipsis" title={title} dir="auto">
          {item.title}
        </span>
        {item.variant && <small>{item.variant}</small>}
        <small>
          {[item.project_id !== project && (item.project || "no project"), where(item, waiting)]
            .filter(Boolean)
            .join(", ")}
        </small>
      </span>
      {place !== null && (
        <>
          <Button
            icon="up"
            kind="quiet"
            label={`Move ${name} up`}
            testid="queue-up"
            disabled={lost || place === 0}
            onClick={() => move(-1)}
          />
          <Button
            icon="down"
            kind="quiet"
            label={`Move ${name} down`}
            testid="queue-down"
            disabled={lost || place === last}
            onClick={() => move(1)}
          />
        </>
      )}
      <Button
        icon={waiting ? "cross" : "stop"}
        kind="quiet"
        label={`${waiting ? "Cancel" : "Stop"} ${name}`}
        testid="queue-cancel"
        disabled={lost || stopping}
        onClick={() => void stop(item.run)}
      />
    </li>
  );
}

function where(item: QueueItem, waiting: QueueItem[] | undefined): string {
  if (!waiting) return item.fraction === null ? "starting" : percent(item.fraction);
  if (item.waits_for) return `waits for ${item.waits_for}`;
  if (item.place === null) return "in another notebook";
  return item.place === 0 ? "next" : ordinal(item.place + 1);
}

function neighbour(row: HTMLElement | null, by: number): HTMLElement | null {
  const rows = [
    ...(row?.closest(".em-queue-panel")?.querySelectorAll<HTMLElement>(".em-queue-item") ?? []),
  ];
  return row ? (rows[rows.indexOf(row) + by] ?? null) : null;
}
