import { describe, expect, it } from "vitest";
import { type Field, GROUPS, NODE_FIELDS } from "../src/logic/fields";
import { latest, ofSweep } from "../src/logic/runs";
import * as sweep from "../src/logic/sweep";
import { flow, node, run } from "./make";

const field = (name: string): Field => {
  const found = [...NODE_FIELDS, ...GROUPS.flatMap((g) => g.fields)].find((f) => f.name === name);
  if (!found) throw new Error(name);
  return found;
};
const swept = (lists: sweep.Sweep) => node("f", "finetune", { epochs: 3, sweep: lists });

describe("a list in a field", () => {
  it.each([
    ["learning_rate", "1e-5, 5e-5", [1e-5, 5e-5]],
    ["learning_rate", "auto; 5e-5", [null, 5e-5]],
    ["batch_size", "8,16,32", [8, 16, 32]],
    ["subset_size", "1,000, 2,000", [1000, 2000]],
    ["epochs", "1, many", [1, "many"]],
  ])("%s: %j", (name, text, values) => {
    expect(sweep.listed(field(name), text)).toEqual(values);
  });

  it.each([
    ["epochs", "3"],
    ["epochs", "3,"],
    ["epochs", "1,5"],
    ["subset_size", "1,024"],
    ["epochs", "many, more"],
    ["output_name", "a, b"],
    ["target_modules", "q_proj, v_proj"],
    ["task", "1, 2"],
  ])("%s: %j is one value", (name, text) => {
    expect(sweep.listed(field(name), text)).toBeNull();
  });

  it("is written as Python writes it", () => {
    expect(sweep.shown([1e-5, 0.0001, 3, null, true, ["a", "b"]])).toBe(
      "1e-05, 0.0001, 3, auto, on, a+b",
    );
    expect(sweep.named({ learning_rate: 5e-5, seed: 7 })).toBe("learning_rate 5e-05, seed 7");
    expect(sweep.named({ learning_rate: 2.5e-11 })).toBe("learning_rate 2.5e-11");
  });
});

it("says what a sweep makes", () => {
  expect(sweep.made({ epochs: [1] })).toBe("1 run");
  expect(sweep.made({ epochs: [1, 2] })).toBe("2 runs");
  expect(sweep.made({ epochs: [1, 2], seed: [1, 2, 3] })).toBe("2 x 3 = 6 runs");
  expect(sweep.sweepOf(node("f", "finetune", { sweep: { epochs: 3, seed: [] } }))).toEqual({});
});

it("changes one field's values and keeps the order of the others", () => {
  const n = swept({ epochs: [1, 2], seed: [1] });
  expect(Object.entries(sweep.withValues(n, "epochs", [5]))).toEqual([
    ["epochs", [5]],
    ["seed", [1]],
  ]);
  expect(sweep.withValues(n, "epochs", [])).toEqual({ seed: [1] });
});

describe("laid out as nodes", () => {
  const nodes = [node("m", "model"), node("d", "dataset"), swept({ epochs: [1, 2], seed: [1, 2] })];
  const next = { ...node("g", "finetune"), position: { x: 368, y: 0 } };
  const doc = flow(
    [...nodes, next],
    [
      ["m", "f", "model"],
      ["d", "f", "dataset"],
      ["f", "g", "model"],
    ],
  );

  it("is a node for each run, named, fed alike, and apart", () => {
    const [laid, ids] = sweep.layOut(doc, "f");
    const made = ids.map((id) => laid.nodes.find((n) => n.id === id));
    expect(ids[0]).toBe("f");
    expect(made.map((n) => n?.label)).toEqual(
      [
        [1, 1],
        [1, 2],
        [2, 1],
        [2, 2],
      ].map(([e, s]) => `Finetuning · epochs ${e}, seed ${s}`),
    );
    expect(made.map((n) => [n?.data.epochs, n?.data.seed, n?.data.sweep])).toEqual([
      [1, 1, {}],
      [1, 2, {}],
      [2, 1, {}],
      [2, 2, {}],
    ]);
    for (const id of ids) {
      const into = laid.edges.filter((e) => e.target === id).map((e) => [e.source, e.targetHandle]);
      expect(into).toEqual([
        ["m", "model"],
        ["d", "dataset"],
      ]);
    }
    expect(laid.edges.filter((e) => e.source === "f")).toEqual([doc.edges[2]]);
    expect(new Set(laid.edges.map((e) => e.id)).size).toBe(laid.edges.length);
    const spots = [...made, next].map((n) => n?.position ?? { x: 0, y: 0 });
    for (const a of spots) {
      for (const b of spots) {
        if (a !== b) expect(Math.abs(a.x - b.x) >= 368 || Math.abs(a.y - b.y) >= 264).toBe(true);
      }
    }
  });

  it("needs at least two runs, and not too many", () => {
    const many: sweep.Sweep = { seed: Array.from({ length: 65 }, (_, i) => i) };
    for (const lists of [{}, { epochs: [1] }, many] as sweep.Sweep[]) {
      const one = flow([swept(lists)]);
      expect(sweep.layOut(one, "f")).toEqual([one, []]);
    }
    expect(sweep.layOut(doc, "gone")[0]).toBe(doc);
  });
});

describe("the runs of a sweep in the node", () => {
  const of = (id: string, part: Parameters<typeof run>[0]) =>
    run({ id, sweep: "r1", variant: id, ...part });
  const runs = [
    of("r3", { status: "queued", queue_position: 1 }),
    of("r2", { status: "queued", queue_position: 0 }),
    of("r1", { status: "finished" }),
    run({ id: "r0", status: "finished" }),
  ];

  it("shows the one under way, then the next, then the newest", () => {
    expect(latest(runs, "f")?.id).toBe("r2");
    expect(latest([...runs, of("r4", { status: "running" })], "f")?.id).toBe("r4");
    expect(latest(runs.slice(2), "f")?.id).toBe("r1");
  });

  it("holds them together in their order", () => {
    expect(ofSweep(runs, runs[0] as (typeof runs)[0]).map((r) => r.id)).toEqual(["r1", "r2", "r3"]);
    expect(ofSweep(runs, runs[3] as (typeof runs)[0]).map((r) => r.id)).toEqual(["r0"]);
  });
});
