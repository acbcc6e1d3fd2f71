/** What can be done on the canvas, by whichever way: a key, a menu, a button, the search. */
import { type ReactFlowInstance, useReactFlow, useStoreApi } from "@xyflow/react";
import { createContext, useContext, useMemo } from "react";
import type { Alignment, HandleEnd } from "../logic/edits";
import { portsOf } from "../logic/fits";
import { arrange, type Size } from "../logic/layout";
import { freeSpot, ROOM } from "../logic/place";
import { type Command, NUDGES } from "../logic/shortcuts";
import type { Position } from "../protocol";
import { type Actions, isOpen } from "../state/actions";
import { save } from "../state/browser";
import { type Session, useSession } from "../state/session";
import { boxes, takenPlaces } from "./add";
import { makeClip } from "./clip";
import { edgeSelector, makeFocus, nodeSelector } from "./focus-node";
import { glide } from "./motion";
import { toggleOutline } from "./outline/toggle";
import { type Popup, useView, type View } from "./view";

export const GRID = 16;
const PAN = 48;
const slide = () => ({ duration: glide() });
const fitted = () => ({ padding: 0.06, maxZoom: 1, ...slide() });

export type Commands = ReturnType<typeof makeCommands>;
type FlowStore = ReturnType<typeof useStoreApi>;

/** What has the focus, with the selection if it is part of it; on the pane, the selection. */
function concerned(flow: ReactFlowInstance, target: Element | null) {
  const ids = (items: { id: string; selected?: boolean }[]) =>
    items.filter((i) => i.selected).map((i) => i.id);
  const [nodes, edges] = [ids(flow.getNodes()), ids(flow.getEdges())];
  const node = target?.closest<HTMLElement>(".react-flow__node")?.dataset.id;
  if (node !== undefined && !nodes.includes(node)) return { nodes: [node], edges: [] };
  const edge = target?.closest<HTMLElement>(".react-flow__edge")?.dataset.id;
  if (edge !== undefined && !edges.includes(edge)) return { nodes: [], edges: [edge] };
  return { nodes, edges };
}

export function makeCommands(
  flow: ReactFlowInstance,
  flowStore: FlowStore,
  view: View,
  session: Session,
  actions: Actions,
) {
  const { store } = session;
  const focus = makeFocus(view);
  const clip = makeClip(view, actions, place);
  const set = view.store.setState;
  const sizes = () =>
    new Map<string, Size>(
      flow.getNodes().map((n) => {
        const { width = 232, height = 120 } = n.measured ?? {};
        return [n.id, { width, height }];
      }),
    );

  function area(): DOMRect {
    return view.el.querySelector(".em-canvas")?.getBoundingClientRect() ?? new DOMRect();
  }
  /** Where the user points at, else the middle of the canvas: a point of the page. */
  function spot(): { at: Position; free: boolean } {
    if (view.pointer) return { at: view.pointer, free: false };
    const { left, top, width, height } = area();
    return { at: { x: left + width / 2, y: top + height / 2 }, free: true };
  }
  /** There for a node of that type: where one points, else where there is room for it. */
  function place(type: string): Position {
    const { at, free } = spot();
    const point = flow.screenToFlowPosition(at);
    if (!free) return point;
    const { width = 232, height = 120 } = ROOM[type] ?? {};
    const middle = { x: point.x - width / 2, y: point.y - height / 2 };
    return freeSpot(takenPlaces(flow, view.el), type, middle);
  }
  function open(popup: Popup): void {
    focus.remember();
    set({ popup });
  }
  function close(refocus = true): void {
    if (view.store.getState().popup === null) return;
    set({ popup: null });
    if (refocus) focus.back();
  }
  function select(nodes: ReadonlySet<string>): void {
    flow.setNodes((all) =>
      all.map((n) => (nodes.has(n.id) === !!n.selected ? n : { ...n, selected: nodes.has(n.id) })),
    );
    const { unselectNodesAndEdges } = flowStore.getState();
    unselectNodesAndEdges({ nodes: [], edges: flow.getEdges().filter((e) => e.selected) });
  }
  /** What was made is shown, and has the focus to go on with. */
  function show(ids: string[]): void {
    const [first] = ids;
    if (first === undefined) return;
    focus.node(first, () => {
      const { left, top, right, bottom } = area();
      const from = flow.screenToFlowPosition({ x: left, y: top });
      const to = flow.screenToFlowPosition({ x: right, y: bottom });
      const hidden = boxes(flow)
        .filter((b, i) => ids.includes(flow.getNodes()[i]?.id ?? "") && b.width > 0)
        .some((b) => b.x < from.x || b.y < from.y || b.x + b.width > to.x || b.y + b.height > to.y);
      if (hidden) void flow.fitView({ ...fitted(), minZoom: 0.3 });
    });
  }
  function nudge(target: Element | null, command: Command): void {
    const [x, y] = NUDGES[command] ?? [0, 0];
    const { nodes } = concerned(flow, target);
    if (nodes.length > 0) {
      actions.nudge(nodes, x * GRID, y * GRID);
      return;
    }
    const now = flow.getViewport();
    void flow.setViewport({ ...now, x: now.x - x * PAN, y: now.y - y * PAN });
  }
  function menu(target: Element | null, at?: Position): void {
    const { nodes, edges } = concerned(flow, target);
    const on = target?.closest<HTMLElement>(".react-flow__node, .react-flow__edge");
    const box = on?.getBoundingClientRect();
    const point = at ?? (box ? { x: box.left + 24, y: box.top + 24 } : spot().at);
    const pane = at !== undefined && !on; // a right click beside the nodes is about none of them
    open({ kind: "menu", at: point, nodes: pane ? [] : nodes, edges: pane ? [] : edges });
  }
  function noteAt(at: Position): void {
    noteOn(flow.screenToFlowPosition(at));
  }
  function noteOn(position: Position): void {
    const id = actions.addNote(position);
    if (id) focus.inNode(id, "textarea");
  }
  function connectNode(id: string): void {
    const from = portsOf(store.getState().history.present, id);
    const box = view.el.querySelector(nodeSelector(id))?.getBoundingClientRect();
    const at = box ? { x: box.right, y: box.top } : spot().at;
    if (from.length > 0) open({ kind: "search", at, free: true, from, existing: true });
  }
  /** Where else the edge can come from or go to, by name. */
  function moveEdge(id: string): void {
    const edge = store.getState().history.present.edges.find((e) => e.id === id);
    const box = view.el.querySelector(edgeSelector(id))?.getBoundingClientRect();
    if (!edge?.sourceHandle || !edge.targetHandle) return;
    const from: HandleEnd[] = [
      { node: edge.source, handle: edge.sourceHandle, side: "source" },
      { node: edge.target, handle: edge.targetHandle, side: "target" },
    ];
    const at = box ? { x: box.left + box.width / 2, y: box.top } : spot().at;
    open({ kind: "search", at, free: true, from, existing: true, edge: id });
  }
  const duplicate = (ids: string[]) => show(actions.duplicateAll(ids, sizes()));
  const only = (target: Element | null) => concerned(flow, target).nodes[0];

  const run: Record<Command, (target: Element | null) => void> = {
    undo: actions.undo,
    redo: actions.redo,
    copy: (target) => clip.copy(concerned(flow, target).nodes),
    cut(target) {
      clip.cut(concerned(flow, target).nodes);
      focus.canvas();
    },
    paste: () => void clip.paste().then(show),
    duplicate: (target) => duplicate(concerned(flow, target).nodes),
    remove(target) {
      const { nodes, edges } = concerned(flow, target);
      if (nodes.length + edges.length === 0) return;
      actions.remove(new Set(nodes), new Set(edges));
      focus.canvas();
    },
    rename(target) {
      const id = only(target);
      if (id) set({ renaming: id });
    },
    details(target) {
      const id = only(target);
      if (id) actions.inspect(id);
    },
    fold(target) {
      const { nodes } = concerned(flow, target);
      const some = nodes.some((id) => isOpen(store.getState(), id));
      for (const id of nodes) actions.setOpen(id, !some);
    },
    selectAll: () => select(new Set(flow.getNodes().map((n) => n.id))),
    deselect() {
      flowStore.setState({ connectionClickStartHandle: null });
      set({ fits: null });
      select(new Set());
      focus.canvas();
    },
    left: (target) => nudge(target, "left"),
    right: (target) => nudge(target, "right"),
    up: (target) => nudge(target, "up"),
    down: (target) => nudge(target, "down"),
    farLeft: (target) => nudge(target, "farLeft"),
    farRight: (target) => nudge(target, "farRight"),
    farUp: (target) => nudge(target, "farUp"),
    farDown: (target) => nudge(target, "farDown"),
    search: () => open({ kind: "search", ...spot(), from: [], existing: false }),
    note: () => noteOn(place("note")),
    connect(target) {
      const { nodes, edges } = concerned(flow, target);
      if (nodes[0]) connectNode(nodes[0]);
      else if (edges[0]) moveEdge(edges[0]);
    },
    menu: (target) => menu(target),
    arrange() {
      actions.arrange(arrange(store.getState().history.present, sizes()));
      requestAnimationFrame(() => void flow.fitView(fitted()));
    },
    snap() {
      const snap = !view.store.getState().snap;
      set({ snap });
      save("snap", snap);
    },
    tool() {
      const tool = view.store.getState().tool === "hand" ? "select" : "hand";
      set({ tool });
      save("select", tool === "select");
    },
    showAll: () => void flow.fitView(fitted()),
    zoomIn: () => void flow.zoomIn(slide()),
    zoomOut: () => void flow.zoomOut(slide()),
    zoomReset: () => void flow.zoomTo(1, slide()),
    full() {
      if (document.fullscreenElement) void document.exitFullscreen();
      else
        view
          .frame()
          .requestFullscreen?.()
          .catch(() => {}); // a notebook's frame may forbid it
    },
    outline: () => toggleOutline(view),
    problem: () => view.el.querySelector<HTMLElement>('[data-testid="problems"]')?.click(),
    help: () => open({ kind: "shortcuts" }),
  };
  return {
    run,
    clip,
    focus,
    open,
    close,
    menu,
    show,
    select,
    noteAt,
    connectNode,
    moveEdge,
    flowPoint: (at: Position) => flow.screenToFlowPosition(at),
    removeEdges(edges: string[]) {
      actions.remove(new Set(), new Set(edges));
      focus.canvas();
    },
    clear() {
      actions.clear();
      focus.canvas();
    },
    concerned: (target: Element | null) => concerned(flow, target),
    duplicate,
    align: (ids: string[], how: Alignment) => actions.align(ids, how, sizes()),
  };
}

export const CommandsContext = createContext<Commands | null>(null);

export function useCommands(): Commands {
  const commands = useContext(CommandsContext);
  if (!commands) throw new Error("This component belongs beside the canvas.");
  return commands;
}

/** One set of commands a view, for its canvas, its toolbar and its nodes. */
export function useNewCommands(): Commands {
  const flow = useReactFlow();
  const flowStore = useStoreApi();
  const view = useView();
  const session = useSession();
  return useMemo(
    () => makeCommands(flow, flowStore, view, session, session.actions),
    [flow, flowStore, view, session],
  );
}
