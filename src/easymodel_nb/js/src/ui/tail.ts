/** Of a text that is too long for its field, the end is seen: a path has its name there. */
import { together } from "./together";

const SHORT = 20; // characters that fit into any field, so that nothing has to be measured

/** Shows the end while nobody edits it; the browser shows the beginning. */
export function showEnd(field: HTMLInputElement | null): void {
  if (!field) return;
  if (field.value.length <= SHORT) {
    delete field.dataset.cut;
    return;
  }
  const edited = () => field.matches(":focus");
  together({
    ready() {
      if (!edited()) field.dataset.cut = ""; // beside an ellipsis nothing scrolls
    },
    read: () => field.scrollWidth - field.clientWidth,
    set(hidden) {
      if (edited()) return;
      if (hidden > 0) field.scrollLeft = hidden;
      else delete field.dataset.cut;
    },
  });
}
