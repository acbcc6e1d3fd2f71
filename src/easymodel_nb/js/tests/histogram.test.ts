import { describe, expect, it } from "vitest";
import { share } from "../src/logic/format";
import { beyond, histogram, ticks } from "../src/logic/histogram";

const bars = [
  { low: 1, high: 10, count: 4 },
  { low: 11, high: 20, count: 8 },
  { low: 21, high: 30, count: 0 },
  { low: 31, high: 40, count: 1 },
];

describe("the histogram", () => {
  it("fills its box: the highest bar to the top, the last to the right, the empty ones left out", () => {
    const drawn = histogram(bars, null, 400, 80);
    expect(drawn.bars.map((b) => [b.x, b.height])).toEqual([
      [0, 40],
      [100, 80],
      [300, 10],
    ]);
    expect(drawn.line).toBeNull();
  });
  it("draws the line behind the last token that is kept", () => {
    const drawn = histogram(bars, 20, 400, 80);
    expect(drawn.line).toBe(200);
    expect(drawn.bars.map((b) => b.over)).toEqual([false, false, true]);
    expect(histogram(bars, 35, 400, 80).bars[2]?.over).toBe(true);
  });
  it("has no line where everything fits", () => {
    expect(histogram(bars, 40, 400, 80).line).toBeNull();
    expect(histogram(bars, 512, 400, 80).line).toBeNull();
  });
  it("lets a single text among thousands be seen", () => {
    const many = [bars[0], { low: 11, high: 20, count: 100_000 }].filter((b) => b !== undefined);
    expect(histogram(many, null, 400, 80).bars[0]?.height).toBe(1.5);
  });
  it("stands one bar, and none", () => {
    expect(histogram([{ low: 7, high: 7, count: 3 }], 32, 400, 80).bars[0]).toMatchObject({
      x: 0,
      width: 399,
    });
    expect(histogram([], 32, 400, 80).bars).toEqual([]);
  });
});

it("has round ticks", () => {
  expect(ticks(1, 40)).toEqual([10, 20, 30, 40]);
  expect(ticks(3, 700)).toEqual([200, 400, 600]);
  expect(ticks(5, 6)).toEqual([5, 6]);
});

it("counts what lies beyond the line only where a bar ends at it", () => {
  expect(beyond(bars, 20)).toBe(1 / 13);
  expect(beyond(bars, 25)).toBeNull();
  expect(beyond([], 20)).toBeNull();
});

it("writes shares with tenths while they are small", () => {
  expect([0, 0.0001, 0.004, 0.061, 0.314, 0.999, 1].map(share)).toEqual([
    "0 %",
    "under 0.1 %",
    "0.4 %",
    "6.1 %",
    "31 %",
    "99 %",
    "100 %",
  ]);
});
