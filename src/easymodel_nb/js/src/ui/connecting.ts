/**
 * Drawing a connection: what fits shows itself; let go beside a port it still finds one. An end
 * of one that is there moves the same way; let go on the pane it is removed.
 */
import type { Connection, Edge, FinalConnectionState, OnConnectStart } from "@xyflow/react";
import { type RefObject, useEffect, useMemo } from "react";
import type { HandleEnd } from "../logic/edits";
import { linkOf, portKey, portsThatFit } from "../logic/fits";
import { type Link, refusal, titleOf } from "../logic/ports";
import type { Position } from "../protocol";
import { useActions, useSession, useStudio } from "../state/session";
import type { Commands } from "./commands";
import { pickUp } from "./pick-up";
import { useView } from "./view";

const REACH = 14; // pixels: half of what can be held of an edge's end

interface From {
  nodeId: string | null;
  handleId: string | null;
  handleType: string | null;
}
/** An edge of which one end is in the hand. */
interface Moving {
  id: string;
  fixed: HandleEnd;
  loose: HandleEnd;
}

export function useConnecting(root: RefObject<HTMLElement | null>, commands: Commands) {
  const { store } = useSession();
  const actions = useActions();
  const view = useView();
  const held = useStudio((s) => s.traits.document.held !== null);
  useEffect(() => {
    const canvas = root.current;
    if (!canvas) return;
    const press = (e: MouseEvent) => pickUp(canvas, store.getState().history.present, e);
    canvas.addEventListener("mousedown", press, true);
    return () => canvas.removeEventListener("mousedown", press, true);
  }, [root, store]);
  const handlers = useMemo(() => {
    let moving: Moving | null = null;
    let cancelled = false;
    const doc = () => store.getState().history.present;
    const begin = ({ nodeId, handleId, handleType }: From) => {
      if (!root.current || !nodeId || !handleId) return;
      const from = endOf(nodeId, handleId, handleType);
      root.current.dataset.connecting = handleId;
      view.store.setState({ fits: new Set(portsThatFit(doc(), from).map(portKey)) });
    };
    /** React Flow ends a connection when the mouse is let go: so it is, far from any port. */
    const cancel = (e: KeyboardEvent) => {
      if (e.key !== "Escape") return;
      e.preventDefault();
      e.stopPropagation();
      cancelled = true;
      const away = { bubbles: true, view: window, clientX: -1e4, clientY: -1e4 };
      for (const type of ["mousemove", "mouseup"])
        root.current?.getRootNode().dispatchEvent(new MouseEvent(type, away));
      cancelled = false;
    };
    const finish = () => {
      document.removeEventListener("keydown", cancel, true);
      delete root.current?.dataset.connecting;
      view.store.setState({ fits: null });
    };
    const refuse = (text: string, at: Position) => view.store.setState({ refusal: { text, at } });
    const make = (link: Link, moved: Moving | null, at: Position) => {
      const why = refusal(doc(), link);
      if (why) refuse(why, at);
      else if (moved) actions.reconnect(moved.id, link);
      else actions.connect(link);
    };
    /** On a node: its port that fits, free ones first; or one that could feed the input. */
    const join = (from: HandleEnd, moved: Moving | null, id: string, at: Position) => {
      const of = (end: HandleEnd) => portsThatFit(doc(), end).find((port) => port.node === id);
      const port = of(from);
      if (port) return make(linkOf(from, port), moved, at);
      const other = moved && of(moved.loose);
      if (other) return make(linkOf(other, moved.loose), moved, at);
      const node = doc().nodes.find((n) => n.id === id);
      const name = node?.label ?? titleOf(node?.type ?? "");
      refuse(`“${name}” has no port that fits this ${from.handle} ${sideOf(from)}.`, at);
    };
    const onPort = (from: HandleEnd, moved: Moving | null, to: HandleEnd, at: Position) => {
      if (portKey(to) === portKey(from)) return;
      // An input that is dragged onto another output shall come from there.
      const turned = moved && to.side === from.side;
      make(turned ? linkOf(to, moved.loose) : linkOf(from, to), moved, at);
    };
    return {
      reconnectRadius: REACH,
      onConnect: (link: Connection) => actions.connect(link),
      onConnectStart: ((_, from) => {
        document.addEventListener("keydown", cancel, true);
        begin(from);
      }) satisfies OnConnectStart,
      onReconnectStart(_: unknown, edge: Edge, side: HandleEnd["side"]) {
        const source = endOf(edge.source, edge.sourceHandle ?? "", "source");
        const target = endOf(edge.target, edge.targetHandle ?? "", "target");
        const [fixed, loose] = side === "source" ? [source, target] : [target, source];
        moving = { id: edge.id, fixed, loose };
      },
      onReconnect: (edge: Edge, link: Connection) => actions.reconnect(edge.id, link),
      onConnectEnd(event: MouseEvent | TouchEvent, state: FinalConnectionState) {
        finish();
        const moved = moving;
        moving = null;
        const { fromHandle, toHandle } = state;
        if (cancelled || state.isValid || !fromHandle?.id) return;
        const at = pointOf(event);
        const from = endOf(fromHandle.nodeId, fromHandle.id, fromHandle.type);
        if (toHandle?.id) {
          onPort(from, moved, endOf(toHandle.nodeId, toHandle.id, toHandle.type), at);
          return;
        }
        const under = document.elementFromPoint(at.x, at.y);
        const id = under?.closest<HTMLElement>(".react-flow__node")?.dataset.id;
        if (id === from.node || !under || !root.current?.contains(under)) return;
        if (id !== undefined) return join(from, moved, id, at);
        if (under.closest(".react-flow__panel")) return;
        if (moved) commands.removeEdges([moved.id]);
        else commands.open({ kind: "search", at, free: false, from: [from], existing: false });
      },
      onClickConnectStart: ((_, from) => begin(from)) satisfies OnConnectStart,
      onClickConnectEnd: finish,
    };
  }, [root, commands, store, actions, view]);
  return useMemo(() => ({ ...handlers, edgesReconnectable: !held }), [handlers, held]);
}

const endOf = (node: string, handle: string, type: string | null): HandleEnd => ({
  node,
  handle,
  side: type === "target" ? "target" : "source",
});
const sideOf = (end: HandleEnd) => (end.side === "source" ? "output" : "input");

function pointOf(event: MouseEvent | TouchEvent) {
  const point = "changedTouches" in event ? event.changedTouches[0] : event;
  return { x: point?.clientX ?? 0, y: point?.clientY ?? 0 };
}
