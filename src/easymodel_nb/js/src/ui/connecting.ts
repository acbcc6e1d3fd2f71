/** Drawing a connection: what fits shows itself; let go beside a port it still finds one. */
import type { Connection, FinalConnectionState, OnConnectStart } from "@xyflow/react";
import { type RefObject, useMemo } from "react";
import type { HandleEnd } from "../logic/edits";
import { linkOf, portKey, portsThatFit } from "../logic/fits";
import { refusal, titleOf } from "../logic/ports";
import type { Position } from "../protocol";
import { useActions, useSession } from "../state/session";
import type { Commands } from "./commands";
import { useView } from "./view";

interface From {
  nodeId: string | null;
  handleId: string | null;
  handleType: string | null;
}

export function useConnecting(root: RefObject<HTMLElement | null>, commands: Commands) {
  const { store } = useSession();
  const actions = useActions();
  const view = useView();
  return useMemo(() => {
    const doc = () => store.getState().history.present;
    const begin = ({ nodeId, handleId, handleType }: From) => {
      if (!root.current || !nodeId || !handleId) return;
      const from = endOf(nodeId, handleId, handleType);
      root.current.dataset.connecting = handleId;
      view.store.setState({ fits: new Set(portsThatFit(doc(), from).map(portKey)) });
    };
    const finish = () => {
      delete root.current?.dataset.connecting;
      view.store.setState({ fits: null });
    };
    const refuse = (text: string, at: Position) => view.store.setState({ refusal: { text, at } });
    /** On a node: its port that fits, free ones first. */
    const join = (from: HandleEnd, id: string, at: Position) => {
      const port = portsThatFit(doc(), from).find((end) => end.node === id);
      if (port) return actions.connect(linkOf(from, port));
      const node = doc().nodes.find((n) => n.id === id);
      const name = node?.label ?? titleOf(node?.type ?? "");
      refuse(`“${name}” has no port that fits this ${from.handle} ${sideOf(from)}.`, at);
    };
    return {
      onConnect: (link: Connection) => actions.connect(link),
      onConnectStart: ((_, from) => begin(from)) satisfies OnConnectStart,
      onConnectEnd(event: MouseEvent | TouchEvent, state: FinalConnectionState) {
        finish();
        const { fromHandle, toHandle } = state;
        if (state.isValid || !fromHandle?.id) return;
        const at = pointOf(event);
        const from = endOf(fromHandle.nodeId, fromHandle.id, fromHandle.type);
        if (toHandle?.id) {
          const to = endOf(toHandle.nodeId, toHandle.id, toHandle.type);
          const why = portKey(to) === portKey(from) ? null : refusal(doc(), linkOf(from, to));
          if (why) refuse(why, at);
          return;
        }
        const under = document.elementFromPoint(at.x, at.y);
        const id = under?.closest<HTMLElement>(".react-flow__node")?.dataset.id;
        if (id === from.node || !under || !root.current?.contains(under)) return;
        if (id !== undefined) return join(from, id, at);
        if (under.closest(".react-flow__panel")) return;
        commands.open({ kind: "search", at, free: false, from: [from], existing: false });
      },
      onClickConnectStart: ((_, from) => begin(from)) satisfies OnConnectStart,
      onClickConnectEnd: finish,
    };
  }, [root, commands, store, actions, view]);
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
