import { describe, expect, it } from "vitest";
import * as graph from "../src/logic/graph";
import { countOf, edgesFrom, edgesInto, nodeOf } from "../src/logic/lookup";
import { groups, once, onceOfTwo } from "../src/logic/once";
import { flow, node, three } from "./make";

describe("what is worked out once", () => {
  it("is the same for the same object and anew for another", () => {
    let made = 0;
    const length = once((list: number[]) => {
      made += 1;
      return list.length;
    });
    const list = [1, 2];
    expect([length(list), length(list), length([1, 2]), made]).toEqual([2, 2, 2, 2]);
  });

  it("is anew when either of two changed", () => {
    let made = 0;
    const pair = onceOfTwo((a: number[], b: number[]) => {
      made += 1;
      return [...a, ...b];
    });
    const [a, b] = [[1], [2]];
    expect(pair(a, b)).toBe(pair(a, b));
    expect(pair(a, [3])).toEqual([1, 3]);
    expect(made).toBe(2);
  });

  it("keeps the order within a group", () => {
    expect(groups([1, 2, 3, 4], (n) => n % 2).get(0)).toEqual([2, 4]);
  });
});

describe("looking up", () => {
  const doc = three();
  it("finds nodes and edges as a search through the lists does", () => {
    for (const id of ["m", "d", "f", "none"]) {
      expect(nodeOf(doc, id)).toBe(doc.nodes.find((n) => n.id === id));
      expect(edgesFrom(doc.edges, id)).toEqual(doc.edges.filter((e) => e.source === id));
      expect(edgesInto(doc.edges, id)).toEqual(doc.edges.filter((e) => e.target === id));
    }
    expect([countOf(doc, "finetune"), countOf(doc, "note")]).toEqual([1, 0]);
  });
  it("takes the first of nodes with one id", () => {
    const [first, second] = [node("a", "model"), node("a", "note")];
    expect(nodeOf(flow([first, second]), "a")).toBe(first);
  });
});

describe("documents that train the same", () => {
  const doc = three();
  const to = new Map([["m", { x: 9, y: 9 }]]);
  it.each([
    ["moved", graph.move(doc, to), true],
    ["renamed", graph.setLabel(doc, "m", "Mine"), true],
    ["with a note", graph.addNode(doc, node("n", "note")), true],
    ["with another source", graph.setData(doc, "m", { source: "x/y" }), false],
    ["with another node", graph.addNode(doc, node("e", "model")), false],
    ["without an edge", graph.remove(doc, new Set(), new Set(["m-f-model"])), false],
  ])("%s", (_, other, alike) => {
    expect(graph.trainsTheSame(doc, other)).toBe(alike);
    expect(graph.trainsTheSame(other, structuredClone(doc))).toBe(alike);
  });
  it("a move to where a node lies already is no edit", () => {
    expect(graph.move(doc, new Map([["m", { x: 0.3, y: -0.2 }]]))).toBe(doc);
  });
});
