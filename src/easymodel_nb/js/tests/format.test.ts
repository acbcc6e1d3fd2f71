import { describe, expect, it } from "vitest";
import * as format from "../src/logic/format";
import { choices } from "../src/logic/plan";
import { spark } from "../src/logic/spark";
import { run } from "./make";

describe("numbers", () => {
  it.each([
    [50, "50 s"],
    [83, "1 min 23 s"],
    [59.7, "1 min 0 s"],
    [1500, "25 min"],
    [7500, "2 h 05 min"],
    [-3, "0 s"],
  ])("%d s is %s", (seconds, text) => expect(format.duration(seconds)).toBe(text));

  it("writes losses, percents, bytes and places", () => {
    expect([format.loss(2.4812), format.loss(24.61), format.loss(Number.NaN)]).toEqual([
      "2.481",
      "24.61",
      "n/a",
    ]);
    expect([format.percent(0.58), format.percent(0.999), format.percent(2)]).toEqual([
      "58 %",
      "99 %",
      "100 %",
    ]);
    expect([format.bytes(7.9e6), format.bytes(4e7), format.bytes(1.5e9)]).toEqual([
      "7.9 MB",
      "40 MB",
      "1.5 GB",
    ]);
    expect([1, 2, 3, 4, 11, 22].map(format.ordinal)).toEqual([
      "1st",
      "2nd",
      "3rd",
      "4th",
      "11th",
      "22nd",
    ]);
  });

  it("counts a stage", () => {
    const stage = { ...run().stage, done: 900_000, total: 40e6, unit: "bytes" } as const;
    expect(format.amount(stage)).toBe("900 KB of 40 MB");
    expect(format.amount({ ...stage, total: null })).toBe("900 KB");
    expect(format.amount({ ...stage, done: null })).toBe("");
  });
});

it("says how long ago", () => {
  const now = Date.parse("2026-01-02T00:00:00Z");
  expect(format.ago("2026-01-01T22:00:00Z", now)).toBe("2 h ago");
  expect(format.ago("2026-01-01T23:59:50Z", now)).toBe("now");
  expect(format.ago("2025-12-30T00:00:00Z", now)).toBe("3 d ago");
  expect(format.ago(null, now)).toBe("");
});

it("shortens names", () => {
  expect(format.initials("First model")).toBe("FM");
  expect(format.initials("gpt2")).toBe("GP");
  expect(format.shortSource("builtin:tiny-gpt2")).toBe("tiny-gpt2");
  expect(format.shortSource("openai-community/gpt2")).toBe("gpt2");
  expect(format.shortSource("/data/rows.csv")).toBe("rows.csv");
});

describe("the sparkline", () => {
  it("runs from left to right, low is good and lies low", () => {
    const drawn = spark([4, 2, 1], 100, 40);
    expect(drawn?.path.startsWith("M3.0 3.0L")).toBe(true);
    expect(drawn?.last).toEqual({ x: 97, y: 37 });
  });
  it("is logarithmic over a wide range", () => {
    expect(spark([100, 10, 1], 103, 103)?.path).toContain("L51.5 51.5");
  });
  it("needs two points that are numbers", () => {
    expect(spark([1], 10, 10)).toBeNull();
    expect(spark([1, Number.NaN], 10, 10)).toBeNull();
    expect(spark([2, 2], 10, 10)).not.toBeNull();
  });
});

it("reads a plan's choices", () => {
  const plan = { choices: [{ field: "learning_rate", value: 5e-4, reason: "Small model." }] };
  expect(choices(plan)).toEqual([
    { name: "Learning rate", value: "0.0005", reason: "Small model." },
  ]);
  expect(choices({})).toEqual([]);
});
