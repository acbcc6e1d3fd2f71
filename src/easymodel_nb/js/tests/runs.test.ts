import { describe, expect, it } from "vitest";
import * as runs from "../src/logic/runs";
import { problem, run, three } from "./make";

describe("the run of a node", () => {
  it("is its newest, or the one that runs", () => {
    const list = [
      run({ id: "3", status: "queued" }),
      run({ id: "2", status: "running" }),
      run({ id: "1", node_id: "g", status: "failed" }),
    ];
    expect(runs.latest(list, "f")?.id).toBe("2");
    expect(runs.latest(list, "g")?.id).toBe("1");
    expect(runs.latest(list, "h")).toBeUndefined();
    expect(runs.newestPerNode(list).map((r) => r.id)).toEqual(["2", "1"]);
  });
});

describe("the bar", () => {
  it("has one segment an epoch up to 12", () => {
    expect(runs.segments(0.5, 3)).toEqual([1, 0.5, 0]);
    expect(runs.segments(0.25, 13)).toEqual([0.25]);
    expect(runs.segments(0.25, 1)).toEqual([0.25]);
    expect(runs.segments(2, 2)).toEqual([1, 1]);
  });
  it("is of the stage before training, of the training afterwards", () => {
    const stage = { stage: "loading", message: "Loading", done: 10, total: 40 } as const;
    const loading = run({ stage: { ...stage, unit: "bytes", seconds_left: null }, fraction: 0 });
    expect(runs.progress(loading)).toEqual({ value: 0.25, bar: [0.25] });
    expect(runs.progress(run({ fraction: 0.5, epochs: 2 })).bar).toEqual([1, 0]);
    expect(runs.progress(run({ step: 1, max_steps: 4, epochs: 1 })).value).toBe(0.25);
    expect(runs.progress(run({ status: "finished", epochs: 2 })).bar).toEqual([1, 1]);
  });
});

describe("words", () => {
  it("names the epoch while it trains", () => {
    expect(runs.sentence(run({ epoch: 0 }))).toBe("Training, epoch 1 of 3");
    expect(runs.sentence(run({ epoch: 1.7 }))).toBe("Training, epoch 2 of 3");
    expect(runs.sentence(run({ epoch: 3 }))).toBe("Training, epoch 3 of 3");
  });
  it("counts in the other stages", () => {
    const stage = { message: "Downloading gpt2…", done: 12e6, total: 40e6, unit: "bytes" } as const;
    const loading = run({ stage: { ...stage, stage: "loading", seconds_left: null } });
    expect(runs.sentence(loading)).toBe("Downloading gpt2, 12 of 40 MB");
    const texts = { message: "Measuring", done: 300, total: 1000, unit: "texts" } as const;
    const baseline = run({ stage: { ...texts, stage: "baseline", seconds_left: null } });
    expect(runs.sentence(baseline)).toBe("Measuring, 300 of 1,000 texts");
    const measuring = {
      ...texts,
      message: "Measuring after epoch 2",
      stage: "evaluating",
    } as const;
    expect(runs.sentence(run({ stage: { ...measuring, seconds_left: null } }))).toBe(
      "Measuring after epoch 2 of 3, 300 of 1,000 texts",
    );
  });
  it.each([
    [{ status: "queued", queue_position: 0 }, "Queued, next"],
    [{ status: "queued", queue_position: 2 }, "Queued, 3rd"],
    [{ status: "stopped", fraction: 0.58 }, "Stopped at 58 %"],
    [{ status: "interrupted" }, "Interrupted"],
    [{ status: "failed" }, "Failed"],
  ] as const)("%j is %s", (part, word) => {
    expect(runs.statusWord(run(part), false)).toBe(word);
  });
  it("has no news when the kernel is lost", () => {
    expect(runs.statusWord(run(), true)).toBe("No news");
    expect(runs.statusWord(run({ status: "finished" }), true)).toBe("Finished");
  });
});

describe("problems", () => {
  it("come from the check, a refused command and the last run, each once", () => {
    const own = problem();
    const failed = run({ status: "failed", problem: problem({ code: "oom", field: null }) });
    const found = runs.problemsOf("f", [own], [own], runs.failures([failed]));
    expect(found.map((p) => p.code)).toEqual(["field.range", "oom"]);
  });
  it("stand on the node they name, wherever the run was", () => {
    const failed = run({ status: "failed", problem: problem({ code: "file.missing", node: "d" }) });
    const found = runs.problemsOf("d", [], [], runs.failures([failed]));
    expect(found.map((p) => p.code)).toEqual(["file.missing"]);
    expect(runs.failures([run({ status: "failed", problem: problem({ node: null }) })])).toEqual([
      problem({ node: "f" }),
    ]);
  });
  it("are gone with a newer run", () => {
    const failed = run({ id: "1", status: "failed", problem: problem({ node: "d" }) });
    expect(runs.failures([failed])).toHaveLength(1);
    expect(runs.failures([run({ id: "2" }), failed])).toEqual([]);
  });
  it("are gone when the field they name was edited", () => {
    const failed = run({ id: "1", status: "failed", problem: problem() });
    expect(runs.failures([failed], ["1"])).toEqual([]);
  });
  it("forbid a run when they are errors of what flows into it", () => {
    const doc = three();
    expect(runs.blocks([problem({ node: "d" })], doc, "f")).toBe(true);
    expect(runs.blocks([problem({ node: null })], doc, "f")).toBe(true);
    expect(runs.blocks([problem({ node: "f" })], doc, "m")).toBe(false);
    expect(runs.blocks([problem({ severity: "note" })], doc, "f")).toBe(false);
  });
});

it("says once what the check and a failed run both say", () => {
  const said = problem({ code: "model.task", field: "task", message: "It cannot." });
  const met = { ...said, message: "GPT2LMHeadModel cannot." };
  expect(runs.problemsOf("f", [said], [], [met])).toEqual([said]);
  expect(runs.problemsOf("f", [], [], [met])).toEqual([met]);
});
