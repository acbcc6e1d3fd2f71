/**
 * Marks the studio's box, which Python made, with what the stylesheet and tests read:
 * theme, tab, width, state; and gives every part of it its test id.
 */
import { deskOf } from "../dashboard/desk";
import { listen } from "../dashboard/listen";
import { resolve } from "../logic/theme";
import type { Session } from "../state/session";
import { guardKeys } from "./keys";
import { highContrast, readPage, watchPage } from "./page";
import { NARROW, type View } from "./view";

const HOOK = /^emnb-t-(.+)$/;

function stamp(element: Element): void {
  for (const name of element.classList) {
    const hook = name.match(HOOK)?.[1];
    if (hook && element.getAttribute("data-testid") !== hook) {
      element.setAttribute("data-testid", hook);
    }
  }
}

function stampAll(root: Element): void {
  stamp(root);
  for (const element of root.querySelectorAll('[class*="emnb-t-"]')) stamp(element);
}

/** Classes may be set after a part was added, so both are watched. */
function watchHooks(root: Element): () => void {
  stampAll(root);
  const observer = new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes) {
      if (type === "attributes") stamp(target as Element);
      for (const node of addedNodes) if (node instanceof Element) stampAll(node);
    }
  });
  observer.observe(root, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ["class"],
  });
  return () => observer.disconnect();
}

/** Keeps the marks true until the returned function is called. */
export function keepFrame(view: View, session: Session): () => void {
  const { el, store } = view;
  let marked: HTMLElement | null = null;
  let unwatchHooks = () => {};
  let unguard = () => {};
  let unlisten = () => {};

  const unmark = () => {
    unwatchHooks();
    unguard();
    unlisten();
    if (marked) for (const name of ["testid", "state"]) delete marked.dataset[name];
  };
  const mark = () => {
    if (!el.isConnected) return; // its studio is not round it yet
    const frame = view.frame();
    if (frame !== marked) {
      unmark();
      marked = frame;
      frame.dataset.testid = "em-studio";
      unwatchHooks = watchHooks(frame);
      // A press on the dashboard's text must not focus the notebook's cell, whose keys cut it.
      frame.tabIndex = -1;
      unguard = guardKeys(frame, () => null);
      unlisten = listen(frame, deskOf(session));
      // The flex child that holds us, which need not be `el` itself.
      let child: HTMLElement = el;
      while (child.parentElement && child.parentElement !== frame && child !== frame) {
        child = child.parentElement;
      }
      if (child !== frame) child.classList.add("emnb-workbench-box");
    }
    const { tab, theme: preference } = session.store.getState();
    const theme = resolve(preference, readPage(el));
    const width = Math.round(frame.getBoundingClientRect().width);
    // JupyterLab hides everything while it changes its theme: a width of 0 says nothing.
    store.setState(width > 0 ? { theme, width } : { theme });
    const state = el.querySelector(".emnb") ? "ready" : "loading";
    Object.assign(frame.dataset, { theme, tab, state });
    frame.dataset.contrast = highContrast() ? "more" : "normal";
    if (width > 0) frame.toggleAttribute("data-narrow", width < NARROW);
  };

  // The canvas is much shorter than a dashboard that was scrolled down: it must not be left above
  // what can be seen.
  const comeBack = () => {
    if (marked && marked.getBoundingClientRect().top < 0)
      marked.scrollIntoView({ block: "nearest" });
  };

  // A view is rendered before it is put into the page; its first size says that it is there.
  const sizes = new ResizeObserver(() => {
    mark();
    sizes.observe(view.frame());
  });
  sizes.observe(el);
  const unwatchPage = watchPage(mark);
  const unsubscribe = session.store.subscribe((now, before) => {
    if (now.tab !== before.tab || now.theme !== before.theme) mark();
    if (now.tab !== before.tab) requestAnimationFrame(comeBack);
  });
  const onFull = () => {
    const full = document.fullscreenElement;
    store.setState({ full: full?.contains(el) ?? false });
  };
  document.addEventListener("fullscreenchange", onFull);
  return () => {
    sizes.disconnect();
    unmark();
    unwatchPage();
    unsubscribe();
    document.removeEventListener("fullscreenchange", onFull);
  };
}
