/**
 * The keyboard's place in the studio is never lost.
 *
 * What has the focus may vanish or be switched off (a deleted node, "Train" while it starts).
 * The browser then gives the focus to the page, where the notebook's single-letter shortcuts
 * delete cells; here it goes to the nearest thing around that is still there.
 */
import { type RefObject, useLayoutEffect } from "react";

const FOCUSABLE =
  'button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), a[href], [tabindex="0"]';

const usable = (e: HTMLElement): boolean =>
  e.isConnected && !e.matches(":disabled") && e.getClientRects().length > 0;

const nowhere = (): boolean => {
  const at = document.activeElement;
  return at === null || at === document.body || !at.isConnected;
};

export function focusOn(element: HTMLElement | null | undefined): boolean {
  if (!element || !usable(element)) return false;
  element.focus({ preventScroll: true });
  return document.activeElement === element;
}

/** The canvas, or the tab that leads to it. */
const home = (el: HTMLElement) =>
  focusOn(el.querySelector<HTMLElement>(".em-canvas")) ||
  focusOn(el.querySelector<HTMLElement>('[role="tab"][aria-selected="true"]'));

/** The next control beside one that was switched off, else the one before it. */
function neighbour(target: HTMLElement): HTMLElement | null {
  const all = [...(target.parentElement?.querySelectorAll<HTMLElement>(FOCUSABLE) ?? [])];
  const after = (e: HTMLElement) =>
    Boolean(target.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING);
  return all.find((e) => after(e) && usable(e)) ?? all.reverse().find(usable) ?? null;
}

export function keepFocus(el: HTMLElement): () => void {
  let last: { target: HTMLElement; around: HTMLElement[] } | null = null;
  const restore = () => {
    if (!last || !nowhere() || !document.hasFocus()) return;
    const { target, around } = last;
    last = null;
    if (usable(target)) return; // it was left on purpose
    if (target.isConnected && focusOn(neighbour(target))) return;
    if (around.some((e) => e.hasAttribute("tabindex") && focusOn(e))) return;
    home(el);
  };
  const onFocusIn = (event: FocusEvent) => {
    const target = event.target as HTMLElement;
    const around: HTMLElement[] = [];
    for (let e = target.parentElement; e && e !== el; e = e.parentElement) around.push(e);
    last = { target, around };
  };
  // Whether it was taken away shows only once the change is drawn.
  const onFocusOut = (event: FocusEvent) => {
    if (event.relatedTarget === null) requestAnimationFrame(restore);
  };
  const observer = new MutationObserver(() => {
    if (last && !usable(last.target)) restore();
  });
  observer.observe(el, { subtree: true, childList: true, attributeFilter: ["disabled", "hidden"] });
  el.addEventListener("focusin", onFocusIn);
  el.addEventListener("focusout", onFocusOut);
  return () => {
    observer.disconnect();
    el.removeEventListener("focusin", onFocusIn);
    el.removeEventListener("focusout", onFocusOut);
  };
}

/** A panel takes the focus when it opens, and gives it back to what opened it. */
export function useBorrowedFocus(panel: RefObject<HTMLElement | null>, fallback: string): void {
  useLayoutEffect(() => {
    const own = panel.current;
    const opener = document.activeElement as HTMLElement | null;
    const root = own?.closest<HTMLElement>(".emnb");
    if (own && !own.contains(opener)) own.focus({ preventScroll: true });
    return () => {
      if (!own?.contains(document.activeElement) && !nowhere()) return;
      // At once: afterwards the focus would have gone to the canvas already.
      if (focusOn(opener === document.body ? null : opener)) return;
      focusOn(root?.querySelector<HTMLElement>(fallback));
    };
  }, [panel, fallback]);
}

/** Scrolls a list, and nothing around it, until a part of it is in view. */
export function reveal(part: HTMLElement, list: HTMLElement | null): void {
  if (!list) return;
  const [box, room] = [part.getBoundingClientRect(), list.getBoundingClientRect()];
  if (box.bottom > room.bottom) list.scrollTop += box.bottom - room.bottom + 4;
  const top = part.getBoundingClientRect().top;
  if (top < room.top) list.scrollTop -= room.top - top + 4;
}
