import { describe, expect, it } from "vitest";
import * as graph from "../src/logic/graph";
import { arrange } from "../src/logic/layout";
import { freeSpot } from "../src/logic/place";
import { refusal } from "../src/logic/ports";
import { flow, node, three } from "./make";

const link = (source: string, target: string, handle: string) => ({
  source,
  sourceHandle: handle,
  target,
  targetHandle: handle,
});

describe("what may connect", () => {
  const doc = flow([
    node("m", "model"),
    node("d", "dataset"),
    node("f", "finetune"),
    node("g", "finetune"),
    node("u", "future"),
  ]);
  it.each([
    ["m", "f", "model", null],
    ["d", "f", "dataset", null],
    ["f", "g", "model", null],
    ["m", "d", "model", /from an output to an input/],
    ["u", "f", "model", /from an output to an input/],
    ["m", "missing", "model", /two nodes/],
  ])("%s to %s by %s", (source, target, handle, why) => {
    const found = refusal(doc, link(source, target, handle));
    if (why === null) expect(found).toBeNull();
    else expect(found).toMatch(why);
  });

  it("a type that does not fit", () => {
    const crossed = { ...link("m", "f", "model"), targetHandle: "dataset" };
    expect(refusal(doc, crossed)).toBe("This input takes a dataset, not a model.");
  });

  it("a second edge takes the place of the first, and there is no circle", () => {
    const connected = graph.connect(doc, link("f", "g", "model"));
    expect(refusal(connected, link("m", "g", "model"))).toBeNull();
    expect(graph.connect(connected, link("m", "g", "model")).edges).toMatchObject([
      link("m", "g", "model"),
    ]);
    expect(graph.connect(connected, link("f", "g", "model"))).toBe(connected);
    expect(refusal(connected, link("g", "f", "model"))).toMatch(/own result/);
    expect(refusal(doc, link("f", "f", "model"))).toMatch(/own result/);
  });
});

describe("changes of the document", () => {
  it("adds all three, connected and named", () => {
    const doc = graph.addThree(flow([]), "builtin:a", "builtin:b");
    expect(doc.nodes.map((n) => n.type)).toEqual(["model", "dataset", "finetune"]);
    expect(doc.edges.map((e) => e.targetHandle)).toEqual(["model", "dataset"]);
    expect(doc.nodes[0]?.data.source).toBe("builtin:a");
  });

  it("removes a node with its edges, and leaves the old document alone", () => {
    const before = three();
    const after = graph.remove(before, new Set(["m"]), new Set());
    expect(after.nodes.map((n) => n.id)).toEqual(["d", "f"]);
    expect(after.edges).toHaveLength(1);
    expect(before).toEqual(three());
    expect(graph.remove(before, new Set(["none"]), new Set())).toBe(before);
  });

  it("keeps unknown keys of documents, nodes and data", () => {
    const doc = { ...three(), future: 1 };
    Object.assign(doc.nodes[2] as object, { colour: "red", data: { unknown: [1], epochs: 3 } });
    const after = graph.setData(doc, "f", { epochs: 5 });
    expect(after).toMatchObject({ future: 1 });
    expect(after.nodes[2]).toMatchObject({ colour: "red", data: { unknown: [1], epochs: 5 } });
  });

  it("is the same document when nothing changed", () => {
    const doc = three();
    expect(graph.setData(doc, "none", { epochs: 1 })).toBe(doc);
    const set = graph.setData(doc, "f", { epochs: 1 });
    expect(graph.setData(set, "f", { epochs: 1 })).toBe(set);
    expect(graph.move(doc, new Map([["m", { x: 0, y: 0 }]]))).toBe(doc);
  });

  it("never uses an id twice", () => {
    const ids = Array.from({ length: 500 }, () => graph.freshId("f"));
    expect(new Set(ids).size).toBe(500);
  });

  it("reads an absent field as its default", () => {
    expect(graph.fieldValue(node("f", "finetune"), "max_length")).toBe(512);
    expect(graph.fieldValue(node("f", "finetune", { max_length: null }), "max_length")).toBeNull();
  });

  it("finds the nearest spot over no other node", () => {
    expect(freeSpot([], "model", { x: 0.4, y: 7 })).toEqual({ x: 0, y: 7 });
    const taken = [{ x: 0, y: 0, width: 232, height: 150 }];
    const spot = freeSpot(taken, "model", { x: 0, y: 100 });
    expect(spot.x).toBe(0);
    expect(spot.y).toBeGreaterThanOrEqual(150 + 24);
    expect(spot.y).toBeLessThan(150 + 24 + 24);
  });

  it("compares what documents say", () => {
    expect(graph.same({ label: null, b: [1, { c: 2 }] }, { b: [1, { c: 2 }] })).toBe(true);
    // Absent means the default, 1,000 rows; null means all of them.
    expect(graph.same({ subset_size: null }, {})).toBe(false);
    expect(graph.same({ a: undefined }, {})).toBe(true);
    expect(graph.same({ b: [1] }, { b: [1, 2] })).toBe(false);
    expect(graph.same([], {})).toBe(false);
    expect(graph.same({ a: 0 }, { a: false })).toBe(false);
  });

  it("lays sources left of what they feed, without overlap", () => {
    const at = arrange(three(), new Map());
    const x = (id: string) => at.get(id)?.x ?? Number.NaN;
    expect(x("m") + 232).toBeLessThan(x("f"));
    const [m, d] = [at.get("m"), at.get("d")];
    expect(Math.abs((m?.y ?? 0) - (d?.y ?? 0))).toBeGreaterThanOrEqual(120);
  });
});

it("feeds a dropped file to the one Finetuning node without data", () => {
  const lonely = flow([node("f", "finetune"), node("d", "dataset")]);
  expect(graph.feedLonely(lonely, "d").edges).toMatchObject([{ source: "d", target: "f" }]);
  const fed = three();
  fed.nodes.push(node("d2", "dataset"));
  expect(graph.feedLonely(fed, "d2")).toBe(fed);
  const two = flow([node("f", "finetune"), node("g", "finetune"), node("d", "dataset")]);
  expect(graph.feedLonely(two, "d")).toBe(two);
});
