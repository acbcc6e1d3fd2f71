import { describe, expect, it } from "vitest";
import { type RunRecord, restored, settings, surroundings } from "../src/logic/record";
import { flow, node } from "./make";

const drawn = { epochs: 2, learning_rate: null, sweep: {}, accept: ["rows.cut"] };
const record: RunRecord = {
  request: {
    node: { id: "f", data: drawn },
    model: { id: "m", data: { source: "builtin:tiny-gpt2" } },
    dataset: { id: "d", data: { source: "builtin:requests", eval_fraction: 0.2 } },
  },
  plan: {
    finetune: { ...drawn, learning_rate: 5e-4, subset_size: 900 },
    model: { name: "tiny-gpt2", revision: null },
    dataset: { name: "requests", train_rows: 720, eval_rows: 180 },
    max_steps: 180,
    device: "CPU",
    choices: [
      { field: "learning_rate", value: 5e-4, reason: "usual for full fine-tuning" },
      { field: "threads", value: 2, reason: "2 of 2 cores are free" },
    ],
  },
};
const links: [string, string, string][] = [
  ["m", "f", "model"],
  ["d", "f", "dataset"],
];
const model = node("m", "model", { source: "builtin:tiny-gpt2" });
const data = node("d", "dataset", { source: "builtin:requests", eval_fraction: 0.2 });
const row = (rows: ReturnType<typeof settings>, name: string) => rows.find((r) => r.name === name);

describe("an old run beside the node of now", () => {
  it("tells each value with its reason, and what differs first", () => {
    const rows = settings(record, node("f", "finetune", { ...drawn, epochs: 5 }));
    expect(rows[0]).toMatchObject({ name: "epochs", value: "2", now: "5" });
    expect(rows.filter((r) => r.now !== null)).toHaveLength(1);
    expect(row(rows, "learning_rate")).toMatchObject({
      value: "0.0005",
      reason: "usual for full fine-tuning",
      now: null, // both were left open
    });
    expect(row(rows, "lora_rank")).toBeUndefined(); // all weights were trained
    expect(row(rows, "batch_size")).toMatchObject({ value: "8", reason: "", now: null });
  });

  it("counts what is swept now as different", () => {
    const rows = settings(record, node("f", "finetune", { ...drawn, sweep: { epochs: [2, 3] } }));
    expect(row(rows, "epochs")?.now).toBe("2, 3");
  });

  it("shows a run that never came to a plan as it was drawn", () => {
    const rows = settings({ ...record, plan: null }, node("f", "finetune", drawn));
    expect(row(rows, "learning_rate")).toMatchObject({ value: "auto", reason: "" });
  });

  it("names model, data, steps and machine", () => {
    const doc = flow([node("m", "model", { source: "gpt2" }), data, node("f", "finetune")], links);
    const rows = surroundings(record, doc.nodes[2] as (typeof doc.nodes)[0], doc);
    expect(row(rows, "model")).toMatchObject({ value: "builtin:tiny-gpt2", now: "gpt2" });
    expect(row(rows, "dataset")).toMatchObject({ value: "builtin:requests", now: null });
    expect(rows.map((r) => `${r.label} ${r.value}`)).toEqual(
      expect.arrayContaining(["Rows 720 trained, 180 measured", "Steps 180", "Device CPU"]),
    );
    expect(row(rows, "Threads")?.reason).toContain("cores are free");
  });
});

describe("restored", () => {
  const now = { epochs: 5, batch_size: 4, sweep: { seed: [1, 2] }, kept_by_hand: 1 };
  const doc = flow([model, data, node("f", "finetune", now)], links);

  it("puts every setting back, and nothing else", () => {
    const f = restored(doc, "f", record).nodes[2];
    expect(f?.data).toMatchObject({ epochs: 2, batch_size: 8, sweep: {}, accept: ["rows.cut"] });
    expect(f?.data.kept_by_hand).toBe(1);
    expect(restored(doc, "f", record).edges).toBe(doc.edges);
  });

  it("is the same document where nothing differs", () => {
    const same = flow([model, data, node("f", "finetune", drawn)], links);
    expect(restored(same, "f", record)).toBe(same);
    expect(restored(doc, "gone", record)).toBe(doc);
  });

  it("puts a source back that feeds this node alone, and leaves a shared one", () => {
    const other = node("d", "dataset", { source: "rows.csv" });
    const alone = flow([model, other, node("f", "finetune", drawn)], links);
    expect(restored(alone, "f", record).nodes[1]?.data).toMatchObject(data.data);
    const shared = flow([...alone.nodes, node("g", "finetune")], [...links, ["d", "g", "dataset"]]);
    expect(restored(shared, "f", record)).toBe(shared);
  });
});
