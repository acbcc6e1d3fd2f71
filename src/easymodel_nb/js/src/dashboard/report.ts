/** A report or a zip asked for in the dashboard: the browser saves it once it is packed. */
import { BY_PARTS, fetchZip, fileName, isOpen } from "../logic/take";
import { keep } from "../state/browser";
import type { Session } from "../state/session";

export function saveWhenPacked(session: Session, job: string): void {
  const { store } = session;
  const say = (text: string, tone: "info" | "err") => store.setState({ notice: { text, tone } });
  const look = () => {
    const found = store.getState().traits.runs.jobs.find((item) => item.id === job);
    if (!found || isOpen(found)) return;
    unwatch();
    const { path, total, state, problem } = found;
    if (state !== "done" || !path) say(problem?.message ?? found.message, "err");
    else if ((total ?? 0) > BY_PARTS)
      say(`It is too large for the browser and lies in ${path}`, "info");
    else
      void fetchZip(session.call, found, () => {}).then(
        (blob) => keep(fileName(path), blob),
        (error: Error) => say(error.message, "err"),
      );
  };
  const unwatch = store.subscribe(look);
  look();
}
