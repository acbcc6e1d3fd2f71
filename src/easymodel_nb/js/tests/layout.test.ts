import { describe, expect, it } from "vitest";
import * as edits from "../src/logic/edits";
import * as graph from "../src/logic/graph";
import { arrange, type Size } from "../src/logic/layout";
import type { Workflow } from "../src/protocol";
import { flow, node } from "./make";

const TALL = new Map<string, Size>([
  ["m", { width: 232, height: 140 }],
  ["d", { width: 232, height: 220 }],
  ["f", { width: 344, height: 210 }],
  ["g", { width: 344, height: 290 }],
]);

/** A model and data, and the nodes they feed. */
function fed(order: string[], fed: string[]): Workflow {
  const type = { m: "model", d: "dataset" } as Record<string, string>;
  let doc = flow(order.map((id) => node(id, type[id] ?? "finetune")));
  for (const target of fed) {
    for (const [source, handle] of [
      ["m", "model"],
      ["d", "dataset"],
    ] as const)
      doc = graph.connect(doc, { source, sourceHandle: handle, target, targetHandle: handle });
  }
  return doc;
}

describe("what is laid out", () => {
  it.each([
    [["m", "d", "f"], ["f"]],
    [["d", "f", "m"], ["f"]],
    [
      ["m", "d", "f", "g"],
      ["f", "g"],
    ],
    [
      ["m", "d", "g", "f"],
      ["f", "g"],
    ],
  ])("%j: the model stands above the data, as their ports do", (order, targets) => {
    const at = arrange(fed(order, targets), TALL);
    const y = (id: string) => at.get(id)?.y ?? Number.NaN;
    expect(y("m")).toBeLessThan(y("d"));
    expect(Math.min(...[...at.values()].map((p) => p.y))).toBe(0);
  });

  it("puts what is not connected below, in the order it was made, and apart", () => {
    const [two] = edits.duplicateAll(fed(["m", "d", "f"], ["f"]), ["m", "d", "f"], TALL);
    const doc = graph.addNode(two, node("n", "note"));
    const at = arrange(doc, TALL);
    const y = doc.nodes.map((n) => at.get(n.id)?.y ?? Number.NaN);
    const [first, second] = [y.slice(0, 3), y.slice(3, 6)];
    expect(Math.min(...second)).toBeGreaterThanOrEqual((at.get("d")?.y ?? 0) + 220);
    expect(Math.max(...first)).toBeLessThan(Math.min(...second));
    expect(Math.max(...second)).toBeLessThan(y[6] ?? 0);
  });

  it("keeps branches in the order in which they were made, where nothing speaks against it", () => {
    for (const order of [
      ["m", "f", "g"],
      ["m", "g", "f"],
    ]) {
      const [, first = "", second = ""] = order;
      const doc = [first, second].reduce(
        (d, target) =>
          graph.connect(d, { source: "m", sourceHandle: "model", target, targetHandle: "model" }),
        flow(order.map((id) => node(id, id === "m" ? "model" : "finetune"))),
      );
      const at = arrange(doc, TALL);
      expect(at.get(first)?.y).toBeLessThan(at.get(second)?.y ?? 0);
    }
  });
});
