import { describe, expect, it } from "vitest";
import { reconnect } from "../src/logic/reconnect";
import type { Workflow } from "../src/protocol";
import { flow, node } from "./make";

const link = (source: string, target: string, handle: string) => ({
  source,
  sourceHandle: handle,
  target,
  targetHandle: handle,
});
const doc = flow(
  [
    node("m", "model"),
    node("n", "model"),
    node("d", "dataset"),
    node("f", "finetune"),
    node("g", "finetune"),
  ],
  [
    ["m", "f", "model"],
    ["d", "f", "dataset"],
    ["n", "g", "model"],
  ],
);
const ids = (of: Workflow) => of.edges.map((e) => e.id);

describe("an end that is moved", () => {
  it("leaves the one port for the other, and takes the place of what was there", () => {
    const moved = reconnect(doc, "m-f-model", link("m", "g", "model"));
    expect(moved.edges).toHaveLength(2);
    expect(moved.edges).toMatchObject([{ id: "d-f-dataset" }, link("m", "g", "model")]);
    expect(reconnect(doc, "m-f-model", link("n", "f", "model")).edges).toHaveLength(3);
  });

  it("stays where it may not go, and where it was", () => {
    expect(reconnect(doc, "m-f-model", link("m", "f", "dataset"))).toBe(doc);
    expect(reconnect(doc, "d-f-dataset", link("d", "f", "dataset"))).toBe(doc);
    expect(reconnect(doc, "none", link("m", "g", "model"))).toBe(doc);
    const chained = reconnect(doc, "n-g-model", link("f", "g", "model"));
    expect(reconnect(chained, "m-f-model", link("g", "f", "model"))).toBe(chained);
  });

  it("onto an edge that is there already is one edge", () => {
    const edge = { id: "twice", ...link("m", "g", "model") };
    const twice = { ...doc, edges: [...doc.edges, edge] };
    const moved = reconnect(twice, "m-f-model", link("m", "g", "model"));
    expect(ids(moved)).toEqual(["d-f-dataset", "n-g-model", "twice"]);
  });
});
