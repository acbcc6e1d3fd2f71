/**
 * What the controls of the dashboard say. Python writes their HTML:
 *
 * - `data-em-command="METHOD"` on a button: a press sends the command; on an input: a change
 *   does; on a form: a change of any of its inputs does.
 * - `data-em-params='{"run": "..."}'` beside it: fixed parameters.
 * - `data-em-form="NAME"`: the inputs in it, `data-em-input="FIELD"`, go with every command sent
 *   from it. Checkboxes whose field ends with `[]` make a list of the values that are checked.
 * - `data-em-key`: what stays the same of a control when Python writes it anew.
 */

export const COMMAND = "[data-em-command]";
export const INPUT = "[data-em-input]";
export const FORM = "[data-em-form]";

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

export interface Asked {
  method: string;
  params: Record<string, unknown>;
  /** Where it is shown that it is under way, or what went wrong. */
  home: HTMLElement;
}

const isControl = (element: Element): element is Control =>
  /^(INPUT|SELECT|TEXTAREA)$/.test(element.tagName);
const isCheckbox = (control: Control): control is HTMLInputElement =>
  control.tagName === "INPUT" && /^(checkbox|radio)$/.test(control.type);

export const formOf = (element: Element) => element.closest<HTMLElement>(FORM);

function fixed(element: HTMLElement | null): Record<string, unknown> {
  return JSON.parse(element?.dataset.emParams || "{}") as Record<string, unknown>;
}

/** The values of the inputs of a form, of one control alone where there is none. */
export function values(root: HTMLElement): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  const controls = root.matches(INPUT) ? [root] : root.querySelectorAll<HTMLElement>(INPUT);
  for (const control of controls) {
    const field = control.dataset.emInput ?? "";
    if (!isControl(control)) continue;
    if (field.endsWith("[]")) {
      const name = field.slice(0, -2);
      const list = (found[name] as string[] | undefined) ?? [];
      found[name] = isCheckbox(control) && !control.checked ? list : [...list, control.value];
    } else if (!isCheckbox(control)) found[field] = control.value;
    else if (control.type === "checkbox") found[field] = control.checked;
    else if (control.checked) found[field] = control.value;
  }
  return found;
}

/** What a control, button or form asks for; its own parameters win over those of its form. */
export function asked(carrier: HTMLElement): Asked {
  const form = formOf(carrier);
  const own = carrier.matches(INPUT) ? values(carrier) : {};
  return {
    method: carrier.dataset.emCommand ?? "",
    params: { ...fixed(form), ...(form && values(form)), ...own, ...fixed(carrier) },
    home: form ?? carrier,
  };
}

/** The element whose command a press on `target` sends: never an input or a form. */
export function pressed(target: Element): HTMLElement | null {
  const found = target.closest<HTMLElement>(COMMAND);
  return found && !found.matches(`${INPUT}, ${FORM}`) ? found : null;
}

/** The element whose command a change of `target` sends: the input itself, else its form. */
export function changed(target: Element): HTMLElement | null {
  if (!target.matches(INPUT)) return null;
  if (target.matches(COMMAND)) return target as HTMLElement;
  const form = formOf(target);
  return form?.matches(COMMAND) ? form : null;
}

/** What Enter in a text field, or Ctrl+Enter in a text area, sends. */
export function entered(target: Element): HTMLElement | null {
  const form = formOf(target);
  if (!form || !target.matches(INPUT)) return null;
  if (form.matches(COMMAND)) return form;
  // One that is disabled for want of a kernel is tried all the same, and says so.
  const buttons = form.querySelectorAll<HTMLButtonElement>(`button${COMMAND}`);
  return [...buttons].find((b) => !b.disabled || b.dataset.emOff !== undefined) ?? null;
}

/** What tells a control from the others, also in HTML that is written anew. */
export function key(element: Element): string {
  const { emKey, emCommand, emParams, emInput } = (element as HTMLElement).dataset;
  const form = formOf(element)?.dataset.emForm ?? "";
  if (emKey) return `${form}/${emKey}`;
  const value = element.matches("input[type=checkbox], input[type=radio]")
    ? (element as HTMLInputElement).value
    : "";
  return [form, element.tagName, emInput, emCommand, emParams, value].join("/");
}

export function find(root: ParentNode, wanted: string): HTMLElement | null {
  const all = root.querySelectorAll<HTMLElement>(`${COMMAND}, ${INPUT}, [data-em-key]`);
  return [...all].find((element) => key(element) === wanted) ?? null;
}
