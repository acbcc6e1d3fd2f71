/**
 * Keeps the user's place when Python writes a part of the dashboard anew: the focus, where the
 * text cursor stands, and what was typed and not yet sent.
 */
import { changed, find, INPUT, key } from "./forms";

type Field = HTMLInputElement | HTMLTextAreaElement;

const isField = (element: Element | null): element is Field =>
  element !== null &&
  /^(INPUT|TEXTAREA)$/.test(element.tagName) &&
  !/^(checkbox|radio)$/.test(element.getAttribute("type") ?? "");

/** `renewed` is called whenever there are new elements. */
export function keepPlace(frame: HTMLElement, renewed: () => void): () => void {
  let focused: HTMLElement | null = null;
  let focusedKey = "";
  let cursor: [number, number] | null = null;
  const drafts = new Map<string, string>();

  const onFocus = (event: FocusEvent) => {
    const target = event.target as HTMLElement;
    const ours = target.matches("[data-em-command], [data-em-input], [data-em-key]");
    focused = ours ? target : null;
    focusedKey = ours ? key(target) : "";
  };
  const onInput = (event: Event) => {
    const target = event.target as Element;
    if (isField(target) && target.matches(INPUT)) drafts.set(key(target), target.value);
    note();
  };
  const onSent = (event: Event) => {
    const target = event.target as Element;
    if (changed(target)) drafts.delete(key(target));
  };
  const note = () => {
    cursor =
      isField(focused) && focused.selectionStart !== null
        ? [focused.selectionStart, focused.selectionEnd ?? focused.selectionStart]
        : null;
  };
  const onMutation = (changes: MutationRecord[]) => {
    if (!changes.some((change) => change.addedNodes.length > 0)) return;
    renewed();
    for (const [name, value] of drafts) {
      const field = find(frame, name);
      if (isField(field) && field.value !== value) field.value = value;
    }
    if (!focused || focused.isConnected) return;
    const active = document.activeElement;
    const lost = !active || active === document.body || active === frame;
    const next = lost ? find(frame, focusedKey) : null;
    focused = next;
    if (!next) return;
    const at = cursor;
    next.focus({ preventScroll: true });
    if (at && isField(next)) next.setSelectionRange(...at);
  };

  const observer = new MutationObserver(onMutation);
  observer.observe(frame, { childList: true, subtree: true });
  frame.addEventListener("focusin", onFocus);
  frame.addEventListener("input", onInput);
  frame.addEventListener("keyup", note);
  frame.addEventListener("change", onSent);
  return () => {
    observer.disconnect();
    frame.removeEventListener("focusin", onFocus);
    frame.removeEventListener("input", onInput);
    frame.removeEventListener("keyup", note);
    frame.removeEventListener("change", onSent);
  };
}
