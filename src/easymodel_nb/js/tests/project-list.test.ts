import { describe, expect, it } from "vitest";
import { found, landing, refused, step } from "../src/logic/project-list";
import type { ProjectItem } from "../src/protocol";

const item = (id: string, name: string): ProjectItem => ({
  id,
  name,
  last_run: null,
  training: null,
});
const ITEMS = [
  item("a", "Résumé parser"),
  item("b", "Support tickets, second try"),
  item("c", "Poems"),
];
const names = (query: string) => found(ITEMS, query).map((p) => p.id);

describe("a search", () => {
  it("finds every word in any order, whatever the case and the accents", () => {
    expect(names("resume")).toEqual(["a"]);
    expect(names("TRY support")).toEqual(["b"]);
    expect(names("support poems")).toEqual([]);
    expect(names("  ")).toEqual(["a", "b", "c"]);
  });
});

describe("a row that is dragged", () => {
  const ids = ["a", "b", "c"];
  const middles = [10, 30, 50];
  it.each([
    ["c", 5, "a"],
    ["c", 25, "b"],
    ["a", 45, "c"],
    ["a", 90, null],
  ])("%s let go at %d lands before %s", (moving, y, before) => {
    expect(landing(ids, middles, moving, y)).toBe(before);
  });
  it.each([
    ["a", 0],
    ["a", 25],
    ["b", 15],
    ["b", 45],
    ["c", 90],
    ["gone", 5],
  ])("%s let go at %d stays", (moving, y) => {
    expect(landing(ids, middles, moving, y)).toBeUndefined();
  });
});

describe("a row that goes one step", () => {
  const ids = ["a", "b", "c"];
  it("goes before the one above, or before the one after the next", () => {
    expect(step(ids, "b", -1)).toBe("a");
    expect(step(ids, "a", 1)).toBe("c");
    expect(step(ids, "b", 1)).toBeNull();
  });
  it("stays at the ends of the list", () => {
    expect(step(ids, "a", -1)).toBeUndefined();
    expect(step(ids, "c", 1)).toBeUndefined();
    expect(step([], "a", 1)).toBeUndefined();
  });
});

describe("a file", () => {
  it("that is no project, or too large, is refused with a sentence", () => {
    expect(refused({ name: "data.csv", size: 10 })).toContain("no project");
    expect(refused({ name: "a.easymodel.json", size: 2_500_000 })).toContain("2.5 MB");
    expect(refused({ name: "A.EASYMODEL.JSON", size: 999_999 })).toBeNull();
  });
});
