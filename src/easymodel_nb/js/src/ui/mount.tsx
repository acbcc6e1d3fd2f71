/** Puts one view of the studio into an element. */
import { createRoot } from "react-dom/client";
import { type Session, SessionContext } from "../state/session";
import { App } from "./App";
import { keepFrame } from "./frame";
import { guardKeys, type KeyHandlers } from "./keys";
import { makeViewStore, type View, ViewContext } from "./view";

export function mount(el: HTMLElement, session: Session): () => void {
  el.classList.add("emnb-host");
  const view: View = {
    el,
    store: makeViewStore(),
    frame: () => el.closest<HTMLElement>(".emnb-studio") ?? el,
  };
  let keys: KeyHandlers | null = null;
  const root = createRoot(el); // first: React listens on `el` before the guard does
  root.render(
    <SessionContext value={session}>
      <ViewContext value={view}>
        <App
          onKeys={(handlers) => {
            keys = handlers;
          }}
        />
      </ViewContext>
    </SessionContext>,
  );
  const unguard = guardKeys(el, () => keys);
  const release = keepFrame(view, session);
  const touch = () => session.touch();
  el.addEventListener("pointerdown", touch);
  el.addEventListener("keydown", touch);
  return () => {
    el.removeEventListener("pointerdown", touch);
    el.removeEventListener("keydown", touch);
    release();
    unguard();
    root.unmount();
  };
}
