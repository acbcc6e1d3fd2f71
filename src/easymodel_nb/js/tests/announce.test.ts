import { expect, it } from "vitest";
import { Announcer, type Heard } from "../src/logic/announce";
import { remove, setData } from "../src/logic/graph";
import type { RunCard } from "../src/protocol";
import { problem, run, three } from "./make";

const heard = (part: Partial<Heard> = {}): Heard => ({
  project: "p",
  name: "First",
  history: { present: three(), future: [] },
  runs: [],
  problems: [],
  verdicts: {},
  lost: false,
  unsaved: 0,
  held: false,
  ...part,
});
const training = (fraction: number, part: Partial<RunCard> = {}): RunCard =>
  run({ fraction, epoch: fraction * 3, epochs: 3, seconds_left: 60, ...part });

/** What is said of one state after the other, each a second later than the one before. */
function said(...states: Heard[]): string[][] {
  const announcer = new Announcer();
  return states.map((state, i) => announcer.hear(state, 1_000_000 + i * 1000));
}

it("is silent when the studio opens, whatever is in it", () => {
  const state = heard({ runs: [training(0.5)], problems: [problem()], lost: true });
  expect(said(state, state)).toEqual([[], []]);
});

it("tells a start, each stage once, and the end with its result", () => {
  const at = (part: Partial<RunCard>) => heard({ runs: [training(0, part)] });
  const stage = (name: RunCard["stage"]["stage"], message: string) => ({
    stage: { stage: name, message, done: 1, total: 9, unit: null, seconds_left: null },
    seconds_left: null,
  });
  const lines = said(
    heard(),
    at({ status: "queued", queue_position: 0 }),
    at(stage("loading", "Loading the model")),
    at(stage("loading", "Loading the model")),
    at({ seconds_left: null }),
    at({ status: "finished", headline: "Perplexity fell by 40 %." }),
  );
  expect(lines).toEqual([
    [],
    ["Finetuning: Queued, next."],
    ["Finetuning: Loading the model."],
    [],
    ["Finetuning: Training, epoch 1 of 3, 0 %."],
    ["Finetuning: Finished, Perplexity fell by 40 %."],
  ]);
});

it("tells progress each tenth, and not before ten seconds are over", () => {
  const announcer = new Announcer();
  const at = (fraction: number, second: number) =>
    announcer.hear(heard({ runs: [training(fraction)] }), 1_000_000 + second * 1000);
  at(0, 0);
  expect(at(0.05, 11)).toEqual([]);
  expect(at(0.12, 12)).toEqual(["Finetuning: Training, epoch 1 of 3, 12 %, 1 min 0 s left."]);
  expect(at(0.25, 14)).toEqual([]); // a tenth, but too soon
  expect(at(0.26, 23)).toEqual(["Finetuning: Training, epoch 1 of 3, 26 %, 1 min 0 s left."]);
  expect(at(0.29, 60)).toEqual([]);
});

it("tells a failure with its cause", () => {
  const failed = training(0.2, { status: "failed", problem: problem({ message: "No memory." }) });
  const lines = said(heard({ runs: [training(0.2)] }), heard({ runs: [failed] }));
  expect(lines[1]).toEqual(["Finetuning: Failed, No memory."]);
});

it("tells problems as they appear, by node, and when none is left", () => {
  const two = [problem(), problem({ field: "seed", message: "Another." })];
  const lines = said(heard(), heard({ problems: two }), heard({ problems: [problem()] }), heard());
  expect(lines).toEqual([
    [],
    ["Problem at Finetuning: Epochs must be at least 1, not 0. And 1 more."],
    [],
    ["No problems are left."],
  ]);
});

it("tells where the gate changed its mind, once it knows", () => {
  const at = (sign: "green" | "amber" | "red" | null, words: string) =>
    heard({ verdicts: { f: { sign, words } } });
  const lines = said(
    at(null, "Checking."),
    at("green", "Ready."),
    at(null, "Checking."),
    at("amber", "Ready if you accept."),
    at("red", "Cannot start."),
    at("green", "Ready."),
  );
  expect(lines).toEqual([
    [],
    [],
    [],
    ["Finetuning: Ready if you accept."],
    [],
    ["Finetuning: Ready."],
  ]);
});

it("says what was undone and redone", () => {
  const [old, changed] = [three(), setData(three(), "f", { epochs: 9 })];
  const lines = said(
    heard({ history: { present: changed, future: [] } }),
    heard({ history: { present: old, future: [changed] } }),
    heard({ history: { present: changed, future: [] } }),
  );
  expect(lines).toEqual([
    [],
    ["Undone: changed Epochs of Finetuning."],
    ["Redone: changed Epochs of Finetuning."],
  ]);
});

it("tells an edit that no field shows, and not one that is typed", () => {
  const cut = { present: remove(three(), new Set(["d"]), new Set()), future: [] };
  const typed = { present: setData(three(), "f", { epochs: 9 }), future: [] };
  expect(said(heard(), heard({ history: cut }))[1]).toEqual(["Deleted Dataset."]);
  expect(said(heard(), heard({ history: typed }))[1]).toEqual([]);
});

it("tells the kernel lost and back, and edits that wait and are saved", () => {
  const lines = said(heard(), heard({ lost: true }), heard({ lost: true, unsaved: 2 }), heard());
  expect(lines).toEqual([
    [],
    ["The kernel does not answer. Edits are kept here."],
    ["Your edits are not saved yet."],
    ["The kernel answers again.", "Your edits are saved."],
  ]);
});

it("names the project that was opened, and nothing of what was there before", () => {
  const lines = said(heard(), heard({ project: "q", name: "Second", problems: [problem()] }));
  expect(lines[1]).toEqual(["Project Second, 3 nodes."]);
});

it("tells why the copy on Drive is not up to date, once, and when it is again", () => {
  const failed = heard({ mirror: "Drive is full." });
  const lines = said(heard({ mirror: null }), failed, failed, heard({ mirror: null }));
  expect(lines).toEqual([[], ["Drive is full."], [], ["The copy is saved again."]]);
});
