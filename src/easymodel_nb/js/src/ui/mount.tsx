/** Puts one view of the studio into an element. */
import { createRoot } from "react-dom/client";
import { type Session, SessionContext } from "../state/session";
import { App } from "./App";
import { keepFocus } from "./focus";
import { keepFrame } from "./frame";
import { guardKeys, type KeyHandlers } from "./keys";
import { makeViewStore, type View, ViewContext } from "./view";

export function mount(el: HTMLElement, session: Session): () => void {
  el.classList.add("emnb-host");
  const view: View = {
    el,
    store: makeViewStore(),
    frame: () => el.closest<HTMLElement>(".emnb-studio") ?? el,
    pointer: null,
    before: null,
  };
  let keys: KeyHandlers | null = null;
  // A child of our own: anywidget empties `el` before it tells a replaced script to leave,
  // and React must still find what it drew.
  const own = document.createElement("div");
  own.style.display = "contents";
  el.append(own);
  const root = createRoot(own); // React listens inside `el`, so before the guard does
  root.render(
    <SessionContext.Provider value={session}>
      <ViewContext.Provider value={view}>
        <App
          onKeys={(handlers) => {
            keys = handlers;
          }}
        />
      </ViewContext.Provider>
    </SessionContext.Provider>,
  );
  const unguard = guardKeys(el, () => keys);
  const unfocus = keepFocus(el);
  const release = keepFrame(view, session);
  const unwatch = session.watch(view.frame());
  const touch = () => session.touch();
  const { closeStep } = session.actions;
  el.addEventListener("pointerdown", touch);
  el.addEventListener("keydown", touch);
  el.addEventListener("focusout", closeStep);
  return () => {
    el.removeEventListener("pointerdown", touch);
    el.removeEventListener("keydown", touch);
    el.removeEventListener("focusout", closeStep);
    release();
    unwatch();
    unfocus();
    unguard();
    root.unmount();
    own.remove();
  };
}
