/** The graph as a list beside the canvas: the same nodes, the same actions, no pointer needed. */
import { useReactFlow } from "@xyflow/react";
import { type KeyboardEvent, useLayoutEffect, useMemo, useRef, useState } from "react";
import { outline } from "../../logic/outline";
import { KINDS, titleOf } from "../../logic/ports";
import { useActions, useStudio } from "../../state/session";
import { useAddNode } from "../add";
import { focusOn, reveal } from "../focus";
import { glide } from "../motion";
import { Button } from "../parts";
import { useView, useViewState } from "../view";
import { type Pick as Choice, Picker } from "./Picker";
import { type Open, Row } from "./Row";
import { closeOutline, nodeSelector, toggleOutline } from "./toggle";

export function Outline() {
  const open = useViewState((s) => s.outline);
  return open ? <Panel /> : null;
}

export function OutlineButton() {
  const view = useView();
  const open = useViewState((s) => s.outline);
  return (
    <Button
      icon="outline"
      kind="quiet"
      label="Outline"
      testid="outline-toggle"
      pressed={open}
      onClick={() => toggleOutline(view)}
    />
  );
}

const STOP = "[data-stop]";

function Panel() {
  const doc = useStudio((s) => s.history.present);
  const lines = useMemo(() => outline(doc), [doc]);
  const actions = useActions();
  const view = useView();
  const { el, store } = view;
  const flow = useReactFlow();
  const list = useRef<HTMLUListElement>(null);
  const [open, setOpen] = useState<Open | null>(null);
  const [adding, setAdding] = useState(false);
  const add = useAddNode();
  /** The stop that is reached by Tab: a node, or "node/input". */
  const [current, setCurrent] = useState<string | null>(null);
  const stops = lines.flatMap((l) => [
    l.node.id,
    ...l.inputs.map((i) => `${l.node.id}/${i.handle}`),
  ]);
  const reached = current !== null && stops.includes(current) ? current : stops[0];

  /** What gets the focus once it is drawn. */
  const wanted = useRef<string | null>(firstWanted(el));
  // Before the browser notices that what had it is gone.
  useLayoutEffect(() => {
    if (wanted.current === null) return;
    const first = list.current?.querySelector<HTMLElement>(STOP);
    const add = list.current?.parentElement?.querySelector<HTMLElement>(".em-outline-add");
    const to = wanted.current ? stop(list.current, wanted.current) : (first ?? add);
    if (!focusOn(to)) return;
    wanted.current = null;
    if (to) reveal(to, list.current);
  });
  const go = (key: string) => {
    wanted.current = key;
    setCurrent(key);
  };

  const close = (node: string | null) => closeOutline(view, node);
  const show = (id: string) => {
    void flow.fitView({ nodes: [{ id }], maxZoom: 1, minZoom: 0.72, duration: glide() });
    if (store.getState().width < COVERS) return close(id);
    focusOn(el.querySelector<HTMLElement>(nodeSelector(id)));
  };
  const remove = (id: string) => {
    const at = lines.findIndex((l) => l.node.id === id);
    go((lines[at + 1] ?? lines[at - 1])?.node.id ?? "");
    setOpen(null);
    actions.remove(new Set([id]), new Set());
  };

  const onKeyDown = (e: KeyboardEvent) => {
    const target = e.target as HTMLElement;
    if (e.key === "Escape" && !e.defaultPrevented) {
      e.preventDefault();
      return close(target.closest<HTMLElement>("[data-row]")?.dataset.row ?? null);
    }
    if (target.matches("input, textarea") || target.closest('[role="menu"]')) return;
    const id = target.closest<HTMLElement>("[data-row]")?.dataset.row;
    if (!id) return;
    const beside = [...(target.closest(".em-outline-row")?.querySelectorAll("button") ?? [])];
    const here = target.dataset.stop ?? id;
    const at = stops.indexOf(here);
    const to = {
      ArrowDown: stops[Math.min(at + 1, stops.length - 1)],
      ArrowUp: stops[Math.max(at - 1, 0)],
      Home: stops[0],
      End: stops.at(-1),
    }[e.key];
    const side = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (to !== undefined) go(to);
    else if (side) focusOn(beside[beside.indexOf(target as HTMLButtonElement) + side]);
    else if (e.key === "F2") setOpen({ row: id, part: "rename" });
    else if (e.key === "Delete" || e.key === "Backspace") remove(id);
    else if (e.key === "ContextMenu" || (e.key === "F10" && e.shiftKey))
      setOpen({ row: id, part: "actions" });
    else return;
    e.preventDefault();
  };

  const kinds: Choice[] = Object.keys(KINDS).map((type) => ({
    label: titleOf(type),
    testid: `outline-add-${type}`,
    onPick: () => go(add(type)),
  }));
  return (
    <section
      className="em-outline nokey"
      aria-label="Outline of the canvas"
      data-testid="outline"
      onKeyDown={onKeyDown}
    >
      <header className="em-outline-head">
        <b className="em-grow">Outline</b>
        <Button
          icon="plus"
          kind="quiet"
          label="Add a node"
          testid="outline-add"
          className="em-outline-add"
          expanded={adding}
          onClick={() => setAdding(!adding)}
        />
        <Button
          icon="cross"
          kind="quiet"
          label="Close the outline"
          testid="outline-close"
          onClick={() => close(null)}
        />
      </header>
      {adding && <Picker label="Add a node" choices={kinds} onDone={() => setAdding(false)} />}
      {lines.length === 0 && <p className="em-outline-none">Nothing is on the canvas yet.</p>}
      <ul ref={list} className="em-outline-list" aria-label="Nodes in the order of the flow">
        {lines.map((line) => (
          <Row
            key={line.node.id}
            line={line}
            reached={reached ?? null}
            open={open?.row === line.node.id ? open.part : null}
            onReach={setCurrent}
            onOpen={(part) => setOpen(part === null ? null : { row: line.node.id, part })}
            onBack={(key) => {
              setOpen(null);
              go(key);
            }}
            onShow={show}
            onRemove={remove}
            onMade={go}
          />
        ))}
      </ul>
    </section>
  );
}

/** Below this width the outline lies over the canvas. */
const COVERS = 860;

/** The node that has the focus, or is selected, is where the list is entered; else its first. */
function firstWanted(el: HTMLElement): string {
  const node =
    document.activeElement?.closest<HTMLElement>(".react-flow__node") ??
    el.querySelector<HTMLElement>(".react-flow__node.selected");
  return node?.dataset.id ?? "";
}

const stop = (list: HTMLElement | null, key: string) =>
  list?.querySelector<HTMLElement>(`[data-stop="${CSS.escape(key)}"]`) ?? null;
