// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Desk, listen } from "../src/dashboard/listen";

let frame: HTMLElement;
let sent: [string, Record<string, unknown>][];
let settle: { resolve: () => void; reject: (error: Error) => void }[];
let refused: string | null;
let told: string[];
let tell: () => void;
let stop: () => void;

const SAMPLES = `
  <div data-em-form="samples" data-em-command="samples_view" data-em-params='{"run": "r1"}'>
    <select data-em-input="epoch"><option>1</option><option>2</option></select>
    <input data-em-input="search" type="search">
    <button data-em-command="samples_view" data-em-params='{"page": 2}' data-em-key="next">Next</button>
  </div>`;
const TRY = `
  <div data-em-form="try" data-em-params='{"run": "r1"}'>
    <textarea data-em-input="text"></textarea>
    <button data-em-command="try_prompt">Try</button>
    <p data-em-error hidden></p>
  </div>`;
const RUNS = `
  <div data-em-form="runs" data-em-command="compare_view">
    <input type="checkbox" data-em-input="runs[]" value="a" checked>
    <input type="checkbox" data-em-input="runs[]" value="b">
    <input type="checkbox" data-em-input="open">
  </div>`;

const get = <T extends HTMLElement>(selector: string): T => {
  const found = frame.querySelector<T>(selector);
  if (!found) throw new Error(`no ${selector}`);
  return found;
};
const press = (target: HTMLElement, name: string, init: KeyboardEventInit = {}) =>
  target.dispatchEvent(
    new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, ...init }),
  );
const change = (target: HTMLElement) =>
  target.dispatchEvent(new Event("change", { bubbles: true }));
const tick = () => new Promise((done) => setTimeout(done, 0));

beforeEach(() => {
  frame = document.createElement("div");
  document.body.replaceChildren(frame);
  sent = [];
  settle = [];
  told = [];
  refused = null;
  const desk: Desk = {
    send: (method, params) => {
      sent.push([method, params]);
      return new Promise<void>((resolve, reject) => settle.push({ resolve, reject }));
    },
    refusal: () => refused,
    watch: (changed) => {
      tell = changed;
      return () => {};
    },
    report: (sentence) => told.push(sentence),
  };
  stop = listen(frame, desk);
});
afterEach(() => stop());

it("sends the whole form when one of its inputs changes", () => {
  frame.innerHTML = SAMPLES;
  get<HTMLSelectElement>("select").value = "2";
  change(get("select"));
  expect(sent).toEqual([["samples_view", { run: "r1", epoch: "2", search: "" }]]);
});

it("sends a button's own parameters with the form's", () => {
  frame.innerHTML = SAMPLES;
  get("button").click();
  expect(sent).toEqual([["samples_view", { run: "r1", epoch: "1", search: "", page: 2 }]]);
});

it("hears HTML that was put there later, and inside what is pressed", async () => {
  frame.innerHTML = '<div><button data-em-command="pull"><b>x</b></button></div>';
  get("b").click();
  expect(sent).toEqual([["pull", {}]]);
});

it("makes a list of checkboxes and a truth of a single one", () => {
  frame.innerHTML = RUNS;
  change(get("input[value=b]"));
  get<HTMLInputElement>("input[value=b]").checked = true;
  change(get("input[value=b]"));
  expect(sent.map(([, params]) => params)).toEqual([
    { runs: ["a"], open: false },
    { runs: ["a", "b"], open: false },
  ]);
});

it("sends on Enter in a field and on Ctrl+Enter in a text area, once", () => {
  frame.innerHTML = SAMPLES + TRY;
  press(get("input"), "Enter");
  change(get("input")); // what browsers add
  get<HTMLTextAreaElement>("textarea").value = "Hello";
  press(get("textarea"), "Enter");
  press(get("textarea"), "Enter", { ctrlKey: true, isComposing: true });
  press(get("textarea"), "Enter", { ctrlKey: true });
  expect(sent.map(([method]) => method)).toEqual(["samples_view", "try_prompt"]);
  expect(sent[1]?.[1]).toEqual({ run: "r1", text: "Hello" });
});

it("does not send a text area while it is being typed in", () => {
  frame.innerHTML = TRY;
  change(get("textarea"));
  expect(sent).toEqual([]);
});

it("says that a command is under way, and takes none twice", async () => {
  frame.innerHTML = TRY;
  get("button").click();
  get("button").click();
  expect(sent).toHaveLength(1);
  expect(get("button").getAttribute("aria-busy")).toBe("true");
  settle[0]?.resolve();
  await tick();
  expect(get("button").hasAttribute("aria-busy")).toBe(false);
  get("button").click();
  expect(sent).toHaveLength(2);
});

it("shows what went wrong in its place, until it works", async () => {
  frame.innerHTML = TRY;
  get("button").click();
  settle[0]?.reject(new Error("This run has no model."));
  await tick();
  expect(get("[data-em-error]").textContent).toBe("This run has no model.");
  expect(get("[data-em-error]").hidden).toBe(false);
  get("button").click();
  settle[1]?.resolve();
  await tick();
  expect(get("[data-em-error]").hidden).toBe(true);
});

it("makes a place for an error where there is none, and finds a form written anew", async () => {
  frame.innerHTML = SAMPLES;
  change(get("select"));
  frame.innerHTML = SAMPLES;
  settle[0]?.reject(new Error("No."));
  await tick();
  expect(get("[data-em-form=samples] [role=alert]").textContent).toBe("No.");
});

it("reports an error whose place is gone", async () => {
  frame.innerHTML = TRY;
  get("button").click();
  frame.innerHTML = "";
  settle[0]?.reject(new Error("No."));
  await tick();
  expect(told).toEqual(["No."]);
});

it("disables what can be pressed while the kernel is lost, also what comes then", async () => {
  frame.innerHTML = `${TRY}<button class="mine" disabled data-em-command="pull">x</button>`;
  refused = "The kernel does not answer.";
  tell();
  expect(get<HTMLButtonElement>("button").disabled).toBe(true);
  expect(get<HTMLTextAreaElement>("textarea").disabled).toBe(false);
  press(get("textarea"), "Enter", { ctrlKey: true });
  frame.insertAdjacentHTML("beforeend", SAMPLES);
  await vi.waitFor(() => expect(get<HTMLSelectElement>("select").disabled).toBe(true));
  expect(sent).toEqual([]);
  expect(get("[data-em-error]").textContent).toBe("The kernel does not answer.");
  refused = null;
  tell();
  expect(get<HTMLButtonElement>("button").disabled).toBe(false);
  expect(get<HTMLButtonElement>(".mine").disabled).toBe(true); // Python's own wish
});

it("says on the dashboard why nothing can be pressed, and takes it back", () => {
  frame.innerHTML = `<div class="emnb-dash">${TRY}</div>`;
  refused = "The kernel does not answer.";
  tell();
  expect(get(".emnb-dash").dataset.emRefused).toBe("The kernel does not answer.");
  refused = null;
  tell();
  expect(get(".emnb-dash").dataset.emRefused).toBeUndefined();
});

it("keeps focus, cursor and typed text when Python writes a part anew", async () => {
  frame.innerHTML = SAMPLES + TRY;
  const area = get<HTMLTextAreaElement>("textarea");
  area.focus();
  area.value = "half a word";
  area.setSelectionRange(4, 6);
  area.dispatchEvent(new Event("input", { bubbles: true }));
  frame.innerHTML = SAMPLES + TRY;
  await vi.waitFor(() => expect(document.activeElement).toBe(get("textarea")));
  const now = get<HTMLTextAreaElement>("textarea");
  expect([now.value, now.selectionStart, now.selectionEnd]).toEqual(["half a word", 4, 6]);
  get("[data-em-key=next]").focus();
  frame.innerHTML = SAMPLES.replace('"page": 2', '"page": 3') + TRY;
  await vi.waitFor(() => expect(document.activeElement).toBe(get("[data-em-key=next]")));
});

it("does not take the focus back from where the user went", async () => {
  frame.innerHTML = SAMPLES;
  get("select").focus();
  const elsewhere = document.createElement("button");
  document.body.append(elsewhere);
  elsewhere.focus();
  frame.innerHTML = SAMPLES;
  await tick();
  expect(document.activeElement).toBe(elsewhere);
});

it("hears nothing once it has ended", () => {
  frame.innerHTML = TRY;
  stop();
  get("button").click();
  expect(sent).toEqual([]);
});
