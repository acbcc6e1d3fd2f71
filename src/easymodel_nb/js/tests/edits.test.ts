import { describe, expect, it } from "vitest";
import * as edits from "../src/logic/edits";
import { setData } from "../src/logic/graph";
import type { Workflow } from "../src/protocol";
import { flow, node, three } from "./make";

const at = (doc: Workflow, id: string) => doc.nodes.find((n) => n.id === id)?.position;
const moved = (doc: Workflow, id: string, x: number, y: number): Workflow => ({
  ...doc,
  nodes: doc.nodes.map((n) => (n.id === id ? { ...n, position: { x, y } } : n)),
});

describe("copy and paste", () => {
  it("takes the nodes, the edges among them and those into them, and shares nothing", () => {
    const doc = setData(three(), "f", { accept: ["a"] });
    const piece = edits.copyOf(doc, ["d", "f"]);
    expect(piece.nodes.map((n) => n.id)).toEqual(["d", "f"]);
    expect(piece.edges.map((e) => e.source).sort()).toEqual(["d", "m"]);
    Object.assign(piece.nodes[1]?.data.accept as object, { 1: "b" });
    expect(doc.nodes[2]?.data.accept).toEqual(["a"]);
  });

  it("pastes under fresh ids, with inner edges and the inputs from outside", () => {
    const doc = three();
    const [next, ids] = edits.paste(doc, edits.copyOf(doc, ["d", "f"]), { x: 100.4, y: 50 });
    const [d, f] = ids as [string, string];
    expect(new Set(next.nodes.map((n) => n.id)).size).toBe(5);
    expect(next.edges).toHaveLength(4);
    expect(next.edges.slice(2)).toMatchObject([
      { source: d, target: f, targetHandle: "dataset" },
      { source: "m", target: f, targetHandle: "model" },
    ]);
    expect(new Set(next.edges.map((e) => e.id)).size).toBe(4);
    expect(at(next, d)).toEqual({ x: 100, y: 50 });
    expect(doc).toEqual(three());
  });

  it("leaves out an input whose node is not in this document, or does not fit", () => {
    const piece = edits.copyOf(three(), ["f"]);
    const [empty, ids] = edits.paste(flow([]), piece, null);
    expect(ids).toHaveLength(1);
    expect(empty.edges).toEqual([]);
    const [other] = edits.paste(flow([node("m", "note"), node("d", "dataset")]), piece, null);
    expect(other.edges).toMatchObject([{ source: "d" }]);
  });

  it("goes further with each paste at no place", () => {
    const piece = edits.copyOf(three(), ["m"]);
    let doc = three();
    for (const by of [24, 48, 72]) {
      let ids: string[] = [];
      [doc, ids] = edits.paste(doc, piece, null);
      expect(at(doc, ids[0] as string)).toEqual({ x: by, y: by });
    }
  });

  it("keeps nodes of an unknown kind, their edges, and unknown keys", () => {
    const doc = flow([node("u", "future", { a: [1] }), node("w", "future")], [["u", "w", "z"]]);
    Object.assign(doc.nodes[0] as object, { colour: "red" });
    Object.assign(doc.edges[0] as object, { weight: 2 });
    const [next, ids] = edits.duplicateAll(doc, ["u", "w"]);
    expect(next.nodes[2]).toMatchObject({ colour: "red", data: { a: [1] } });
    expect(next.edges[1]).toMatchObject({ source: ids[0], target: ids[1], weight: 2 });
  });

  it("puts what is duplicated below, over no other node, under a name of its own", () => {
    const sizes = new Map(["m", "d", "f"].map((id) => [id, { width: 232, height: 100 }]));
    const doc = moved(moved(moved(three(), "m", 0, 0), "d", 0, 140), "f", 400, 0);
    const [one, [first = ""]] = edits.duplicateAll(doc, ["f"], sizes);
    expect(at(one, first)).toEqual({ x: 400, y: 124 });
    const [two, [second = ""]] = edits.duplicateAll(
      one,
      ["f"],
      sizes.set(first, { width: 232, height: 100 }),
    );
    expect(at(two, second)).toEqual({ x: 400, y: 268 });
    expect(two.nodes.map((n) => n.label)).toEqual([
      null,
      null,
      null,
      "Finetuning 2",
      "Finetuning 3",
    ]);
    expect(two.edges.filter((e) => e.target === second).map((e) => e.source)).toEqual(["m", "d"]);
    const [three_, [again = ""]] = edits.duplicateAll(two, [first], sizes);
    expect(three_.nodes.find((n) => n.id === again)?.label).toBe("Finetuning 4");
  });

  it("is the same document when there is nothing to paste", () => {
    const doc = three();
    expect(edits.duplicateAll(doc, ["none"])).toEqual([doc, []]);
    expect(edits.duplicateAll(doc, [])[0]).toBe(doc);
  });
});

describe("moving several nodes", () => {
  const spread = () => moved(moved(moved(three(), "m", 0, 0), "d", 50, 300), "f", 90, 110);
  const sizes = new Map([
    ["m", { width: 100, height: 50 }],
    ["d", { width: 200, height: 60 }],
    ["f", { width: 300, height: 90 }],
  ]);
  const all = ["m", "d", "f"];

  it.each([
    ["left", [0, 0, 0]],
    ["right", [290, 190, 90]],
    ["center", [145, 95, 45]],
  ] as const)("%s", (how, xs) => {
    const doc = edits.align(spread(), all, how, sizes);
    expect(all.map((id) => at(doc, id)?.x)).toEqual(xs);
    expect(all.map((id) => at(doc, id)?.y)).toEqual([0, 300, 110]);
  });

  it.each([
    ["top", [0, 0, 0]],
    ["bottom", [310, 300, 270]],
    ["middle", [155, 150, 135]],
  ] as const)("%s", (how, ys) => {
    const doc = edits.align(spread(), all, how, sizes);
    expect(all.map((id) => at(doc, id)?.y)).toEqual(ys);
  });

  it("makes the gaps equal and leaves the outer two where they are", () => {
    const doc = edits.align(spread(), all, "down", sizes);
    // 360 high, 200 of it nodes: two gaps of 80.
    expect(all.map((id) => at(doc, id)?.y)).toEqual([0, 300, 130]);
    const two = spread();
    expect(edits.align(two, ["m", "d"], "across", sizes)).toBe(two);
  });

  it("nudges, and is the same document when nothing moves", () => {
    const doc = edits.nudge(three(), ["m", "f"], 8, -1);
    expect([at(doc, "m"), at(doc, "d")]).toEqual([
      { x: 8, y: -1 },
      { x: 0, y: 0 },
    ]);
    expect(edits.nudge(doc, [], 8, 8)).toBe(doc);
    expect(edits.align(doc, ["m"], "left", sizes)).toBe(doc);
  });
});

describe("a node at the end of an edge", () => {
  it("is connected on either side, in place of what was there", () => {
    const end = { node: "f", handle: "model", side: "target" } as const;
    const [doc, id] = edits.addFeeding(three(), "model", { x: 1.5, y: 2 }, end);
    expect(doc.edges.filter((e) => e.target === "f" && e.targetHandle === "model")).toMatchObject([
      { source: id },
    ]);
    const out = { node: "f", handle: "model", side: "source" } as const;
    const [next, g] = edits.addFeeding(doc, "finetune", { x: 0, y: 0 }, out);
    expect(next.edges.at(-1)).toMatchObject({ source: "f", target: g, targetHandle: "model" });
  });

  it("is not made where it does not fit", () => {
    const doc = three();
    const end = { node: "f", handle: "dataset", side: "target" } as const;
    expect(edits.addFeeding(doc, "model", { x: 0, y: 0 }, end)).toEqual([doc, ""]);
    expect(edits.addFeeding(doc, "dataset", { x: 0, y: 0 }, { ...end, node: "x" })[0]).toBe(doc);
  });

  it("can be of every kind that fits", () => {
    expect(edits.fitting({ type: "finetune", handle: "model", side: "target" })).toEqual([
      { type: "model", handle: "model" },
      { type: "finetune", handle: "model" },
    ]);
    expect(edits.fitting({ type: "dataset", handle: "dataset", side: "source" })).toEqual([
      { type: "finetune", handle: "dataset" },
    ]);
    expect(edits.fitting({ type: "note", handle: "x", side: "source" })).toEqual([]);
  });
});

it("adds a note, writes on it, and clears everything", () => {
  const [doc, id] = edits.addNote(three(), { x: 3.2, y: 4 }, "hm");
  expect(doc.nodes.at(-1)).toMatchObject({ type: "note", position: { x: 3, y: 4 } });
  expect(edits.setNote(doc, id, "hm")).toBe(doc);
  expect(edits.setNote(doc, id, "no").nodes.at(-1)?.data.text).toBe("no");
  const empty = edits.clear(doc);
  expect([empty.nodes, empty.edges]).toEqual([[], []]);
  expect(edits.clear(empty)).toBe(empty);
});
