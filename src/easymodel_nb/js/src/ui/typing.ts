/** What is typed before the field it is meant for can take the focus. */

/** Holds back what is typed in `el` until it is told the field, which gets it, or that none came. */
export function keptTyping(el: HTMLElement): (field: HTMLElement | null) => void {
  let text = "";
  const hold = (e: KeyboardEvent) => {
    if (e.key.length !== 1 || e.ctrlKey || e.metaKey || e.altKey) return;
    text += e.key;
    e.preventDefault();
    e.stopPropagation();
  };
  el.addEventListener("keydown", hold, true);
  return (field) => {
    el.removeEventListener("keydown", hold, true);
    // As if it were typed: the page hears of it, and Ctrl+Z takes it back.
    if (field && text) document.execCommand("insertText", false, text);
  };
}
