/** What the dashboard's controls need of the studio: how to send, and when nothing can be sent. */
import type { Method } from "../logic/rpc";
import type { Methods } from "../protocol";
import type { Session } from "../state/session";
import type { Desk } from "./listen";
import { saveWhenPacked } from "./report";

export function deskOf(session: Session): Desk {
  const { store } = session;
  return {
    send: (method, params) => {
      session.touch();
      if (method === "open_push") return openPush(session, String(params.run));
      // Python checks the name and the parameters, and answers what is wrong with them.
      const answer = session.call(method as Method, params as Methods[Method]["params"]);
      if (method !== "report" && method !== "take") return answer;
      return answer.then((result) => saveWhenPacked(session, (result as { job: string }).job));
    },
    refusal: () => {
      const { lostSince, traits } = store.getState();
      if (traits.beat.moved) return "This studio moved to a newer cell; go on there.";
      return lostSince === null
        ? null
        : "The kernel does not answer. A running cell may be the reason; if it was restarted, run the cell again.";
    },
    watch: (changed) =>
      store.subscribe((now, before) => {
        const moved = now.traits.beat.moved !== before.traits.beat.moved;
        if (moved || now.lostSince !== before.lostSince) changed();
      }),
    report: (text) => store.setState({ notice: { text, tone: "err" } }),
  };
}

/** The form of a push stands in the inspector of the node that the run came from. */
async function openPush({ store, actions }: Session, run: string): Promise<void> {
  const { document, runs } = store.getState().traits;
  const node = runs.items.find((card) => card.id === run)?.node_id;
  if (!node || !document.document.nodes.some((n) => n.id === node))
    throw new Error(
      "The node of this run is no longer on the canvas: download the model as a zip instead.",
    );
  actions.showTab("canvas");
  actions.inspect(node, "runs");
}
