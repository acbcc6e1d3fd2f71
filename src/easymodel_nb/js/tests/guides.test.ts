import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { guides } from "../src/logic/guides";

const box = (x: number, y: number, width = 100, height = 50) => ({ x, y, width, height });

describe("lines while dragging", () => {
  it("draws an edge to an edge that is near, and shows the line along both", () => {
    const found = guides(box(203, 300), [box(200, 0, 160, 50)], 6);
    expect(found).toEqual({
      dx: -3,
      dy: 0,
      lines: [{ axis: "x", at: 200, from: 0, to: 350 }],
    });
  });

  it("draws middles together, and each axis for itself", () => {
    const found = guides(box(31, 2), [box(0, 400, 160, 90), box(500, 0, 80, 80)], 6);
    expect([found.dx, found.dy]).toEqual([-1, -2]);
    expect(found.lines).toEqual([
      { axis: "x", at: 80, from: 0, to: 490 },
      { axis: "y", at: 0, from: 30, to: 580 },
    ]);
  });

  it("takes the nearest, and one line stands for all that lie on it", () => {
    const found = guides(box(4, 300), [box(0, 0), box(5, 100, 300), box(5, 200, 300)], 6);
    expect(found.dx).toBe(1);
    expect(found.lines).toEqual([{ axis: "x", at: 5, from: 100, to: 350 }]);
  });

  it("shows where it lies without drawing it there", () => {
    expect(guides(box(3, 300), [box(0, 0)], 0)).toEqual({ dx: 0, dy: 0, lines: [] });
    expect(guides(box(0, 300), [box(0, 0)], 0).lines).toHaveLength(2);
  });

  it("never goes further than it may, and lies on a line where it went", () => {
    const part = fc.integer({ min: -300, max: 300 });
    const size = fc.integer({ min: 1, max: 300 });
    const any = fc.record({ x: part, y: part, width: size, height: size });
    fc.assert(
      fc.property(
        any,
        fc.array(any, { maxLength: 8 }),
        fc.nat({ max: 20 }),
        (moving, all, near) => {
          const { dx, dy, lines } = guides(moving, all, near);
          expect(Math.max(Math.abs(dx), Math.abs(dy))).toBeLessThanOrEqual(near);
          if (dx !== 0) expect(lines.some((line) => line.axis === "x")).toBe(true);
          if (dy !== 0) expect(lines.some((line) => line.axis === "y")).toBe(true);
        },
      ),
    );
  });
});
