import { describe, expect, it } from "vitest";
import { advanced, GROUPS, NODE_FIELDS, parse, show, summary } from "../src/logic/fields";
import { DEFAULTS } from "../src/protocol";
import { node } from "./make";

const field = (name: string) => {
  const found = [...NODE_FIELDS, ...GROUPS.flatMap((g) => g.fields)].find((f) => f.name === name);
  if (!found) throw new Error(name);
  return found;
};

describe("what a typed text means", () => {
  it.each([
    ["epochs", "5", 5],
    ["epochs", " 1,000 ", 1000],
    ["learning_rate", "5e-5", 5e-5],
    ["learning_rate", "", null],
    ["subset_size", "", null],
    ["epochs", "", ""],
    ["epochs", "three", "three"],
    ["epochs", "1,5", "1,5"],
    ["epochs", "0", 0],
    ["epochs", "Infinity", "Infinity"],
    ["output_name", " my model ", "my model"],
    ["template", "Q: {q}\n", "Q: {q}\n"],
    ["target_modules", "q_proj, v_proj", ["q_proj", "v_proj"]],
  ])("%s: %j is %j", (name, text, value) => {
    expect(parse(field(name), text)).toEqual(value);
  });

  it("shows what it parsed", () => {
    expect(show(null)).toBe("");
    expect(show(0)).toBe("0");
    expect(show(["a", "b"])).toBe("a, b");
    expect(show({ odd: 1 })).toBe('{"odd":1}');
  });
});

it("has every field of the document that is not the canvas's own, each once", () => {
  const names = [...NODE_FIELDS, ...GROUPS.flatMap((g) => g.fields)].map((f) => f.name);
  expect(new Set(names).size).toBe(names.length);
  const known = Object.keys(DEFAULTS.finetune ?? {});
  expect(known.filter((n) => !names.includes(n))).toEqual(["accept", "sweep"]);
  expect(names.filter((n) => !known.includes(n))).toEqual([]);
});

it("sums a node up in a line", () => {
  const n = node("f", "finetune", { epochs: 1, subset_size: 4000, learning_rate: 5e-5 });
  expect(summary(n)).toBe("Generation, 1 epoch, batch 8, 4,000 rows, full");
  expect(summary(node("f", "finetune", { subset_size: null }))).toContain("all rows");
  expect(advanced(n)).toBe("full, lr 0.00005, seed 42");
});

it("names what a sweep lists in place of the plain value", () => {
  const sweep = { epochs: [1, 2], learning_rate: [1e-3, null], subset_size: [100, 200] };
  const n = node("f", "finetune", { epochs: 5, sweep });
  expect(summary(n)).toBe("Generation, 1/2 epochs, batch 8, 100/200 rows, full");
  expect(advanced(n)).toBe("full, lr 0.001/auto, seed 42");
});
