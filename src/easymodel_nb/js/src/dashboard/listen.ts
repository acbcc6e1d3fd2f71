/**
 * Makes the dashboard's HTML act: Python writes it, and writes it anew at any time, so the
 * events are heard on the studio's box and nothing is kept on an element.
 */
import { asked, changed, entered, FORM, formOf, pressed } from "./forms";
import { keepPlace } from "./place";

export interface Desk {
  /** Sends a command; rejects with a sentence for the user. */
  send: (method: string, params: Record<string, unknown>) => Promise<unknown>;
  /** Why nothing can be sent now, or null. */
  refusal: () => string | null;
  /** Calls back when `refusal` may have changed; answers what ends that. */
  watch: (changed: () => void) => () => void;
  /** Shows a sentence whose place in the dashboard is gone. */
  report: (sentence: string) => void;
}

const ERROR = "[data-em-error]";
const OFF = "emOff";

export function listen(frame: HTMLElement, desk: Desk): () => void {
  const underway = new Set<string>();

  const send = async (carrier: HTMLElement) => {
    const { method, params, home } = asked(carrier);
    const form = formOf(carrier)?.dataset.emForm;
    const same = JSON.stringify([method, params]);
    if (underway.has(same)) return; // Enter is heard as a key and as a change
    const place = () =>
      home.isConnected || !form
        ? home
        : frame.querySelector<HTMLElement>(`[data-em-form="${form}"]`);
    const refused = desk.refusal();
    if (refused) {
      say(place(), refused, desk);
      return;
    }
    const busy = new Set([carrier, home]);
    underway.add(same);
    for (const element of busy) element.setAttribute("aria-busy", "true");
    try {
      await desk.send(method, params);
      say(place(), "", desk);
    } catch (error) {
      say(place(), error instanceof Error ? error.message : String(error), desk);
    } finally {
      underway.delete(same);
      for (const element of busy) element.removeAttribute("aria-busy");
    }
  };

  const onClick = (event: MouseEvent) => {
    const carrier = pressed(event.target as Element);
    if (!carrier) return;
    event.preventDefault();
    if (!carrier.matches(":disabled")) void send(carrier);
  };
  const onChange = (event: Event) => {
    const carrier = changed(event.target as Element);
    if (carrier) void send(carrier);
  };
  const onSubmit = (event: Event) => {
    const form = (event.target as Element).closest<HTMLElement>(FORM);
    if (!form) return;
    event.preventDefault(); // the page would be left
    const carrier = form.dataset.emCommand ? form : pressed(form.querySelector("button") ?? form);
    if (carrier) void send(carrier);
  };
  const onKey = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if (event.key !== "Enter" || event.isComposing) return;
    const many = target.tagName === "TEXTAREA";
    const single =
      target.tagName === "INPUT" && !/^(checkbox|radio)$/.test(target.getAttribute("type") ?? "");
    if (!(many ? event.ctrlKey || event.metaKey : single)) return;
    const carrier = entered(target);
    if (!carrier) return;
    event.preventDefault(); // JupyterLab runs the cell on Ctrl+Enter
    void send(carrier);
  };
  const onAbility = () => ability(frame, desk.refusal());

  const place = keepPlace(frame, onAbility);
  const unwatch = desk.watch(onAbility);
  onAbility();
  frame.addEventListener("click", onClick);
  frame.addEventListener("change", onChange);
  frame.addEventListener("submit", onSubmit);
  frame.addEventListener("keydown", onKey);
  return () => {
    frame.removeEventListener("click", onClick);
    frame.removeEventListener("change", onChange);
    frame.removeEventListener("submit", onSubmit);
    frame.removeEventListener("keydown", onKey);
    unwatch();
    place();
  };
}

/** Puts a sentence where the command was given, or takes it away. */
function say(home: HTMLElement | null, sentence: string, desk: Desk): void {
  if (!home?.isConnected) {
    if (sentence) desk.report(sentence);
    return;
  }
  const inside = home.matches(FORM);
  let place = inside
    ? home.querySelector<HTMLElement>(ERROR)
    : home.nextElementSibling?.matches(ERROR)
      ? (home.nextElementSibling as HTMLElement)
      : null;
  if (!place && !sentence) return;
  if (!place) {
    place = document.createElement("p");
    place.className = "emnb-em-error";
    place.dataset.emError = "";
    place.setAttribute("role", "alert");
    if (inside) home.append(place);
    else home.after(place);
  }
  place.textContent = sentence;
  place.hidden = !sentence;
}

/** Without a kernel nothing can be pressed or chosen; what is typed stays, and may be typed on. */
function ability(frame: HTMLElement, refused: string | null): void {
  // The banner of the canvas is out of sight here: the style sheet shows the sentence on top.
  const dashboard = frame.querySelector<HTMLElement>(".emnb-dash");
  if (dashboard && refused) dashboard.dataset.emRefused = refused;
  else if (dashboard) delete dashboard.dataset.emRefused;
  const pick =
    "button[data-em-command], select[data-em-input], input[type=checkbox][data-em-input]";
  for (const element of frame.querySelectorAll<HTMLButtonElement>(pick)) {
    if (refused && !element.disabled) {
      element.disabled = true;
      element.dataset[OFF] = element.title;
      element.title = refused;
    } else if (!refused && element.dataset[OFF] !== undefined) {
      element.disabled = false;
      element.title = element.dataset[OFF] ?? "";
      delete element.dataset[OFF];
    }
  }
}
