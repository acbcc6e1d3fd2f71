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
      // Python checks the name and the parameters, and answers what is wrong with them.
      const answer = session.call(method as Method, params as Methods[Method]["params"]);
      if (method !== "report") return answer;
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
