import { expect, it } from "vitest";
import { describe as describeChange } from "../src/logic/changes";
import { connect, remove, setData, setLabel } from "../src/logic/graph";
import { detailOf, flowOrder, outline, sourcesFor, targetsFor } from "../src/logic/outline";
import type { Workflow } from "../src/protocol";
import { flow, node, three } from "./make";

const at = (doc: Workflow, places: Record<string, [number, number]>): Workflow => ({
  ...doc,
  nodes: doc.nodes.map((n) => {
    const [x, y] = places[n.id] ?? [0, 0];
    return { ...n, position: { x, y } };
  }),
});
const chain = () =>
  flow(
    [
      node("f2", "finetune"),
      node("n", "note"),
      node("d2", "dataset"),
      node("f1", "finetune"),
      node("d1", "dataset"),
      node("m", "model"),
    ],
    [
      ["m", "f1", "model"],
      ["d1", "f1", "dataset"],
      ["f1", "f2", "model"],
      ["d2", "f2", "dataset"],
    ],
  );

it("puts every node after what flows into it, model first, and what is loose at the end", () => {
  expect(flowOrder(chain()).map((n) => n.id)).toEqual(["m", "d1", "f1", "d2", "f2", "n"]);
});

it("follows the drawing from top to bottom where the flow says nothing", () => {
  const doc = at(flow([node("a", "model"), node("b", "model"), node("c", "model")]), {
    a: [0, 300],
    b: [0, 100],
    c: [0, 200],
  });
  expect(flowOrder(doc).map((n) => n.id)).toEqual(["b", "c", "a"]);
});

it("lists each node once, also in a document with a cycle or an edge from nowhere", () => {
  const doc = flow(
    [node("a", "finetune"), node("b", "finetune"), node("x", "model")],
    [
      ["a", "b", "model"],
      ["b", "a", "model"],
      ["gone", "a", "dataset"],
    ],
  );
  expect(
    flowOrder(doc)
      .map((n) => n.id)
      .sort(),
  ).toEqual(["a", "b", "x"]);
  expect(outline(doc).find((l) => l.node.id === "a")?.inputs[1]).toMatchObject({ from: null });
});

it("does not lose its place in a chain of ten thousand", () => {
  const many = Array.from({ length: 10_000 }, (_, i) => node(`f${i}`, "finetune"));
  const doc = flow(
    many,
    many.slice(1).map((n, i) => [`f${i}`, n.id, "model"]),
  );
  expect(flowOrder(doc).map((n) => n.id)).toEqual(many.map((n) => n.id));
});

it("names what flows into each input", () => {
  const line = outline(three()).at(-1);
  expect(line?.inputs.map((i) => [i.handle, i.from?.id])).toEqual([
    ["model", "m"],
    ["dataset", "d"],
  ]);
});

it("offers an input all that fits, also in place of what it has, and no cycle", () => {
  const doc = chain();
  expect(sourcesFor(doc, "f1", "model").map((c) => c.node.id)).toEqual(["m"]);
  expect(sourcesFor(doc, "f2", "model").map((c) => c.node.id)).toEqual(["m", "f1"]);
  expect(sourcesFor(doc, "f2", "dataset").map((c) => c.node.id)).toEqual(["d1", "d2"]);
});

it("offers a node the inputs that its result does not feed yet", () => {
  const doc = chain();
  expect(targetsFor(doc, "m").map((c) => c.link)).toEqual([
    { source: "m", sourceHandle: "model", target: "f2", targetHandle: "model" },
  ]);
  expect(targetsFor(doc, "f2")).toEqual([]);
  expect(targetsFor(doc, "n")).toEqual([]);
});

it("tells nodes of a kind apart", () => {
  const detail = (type: string, data = {}) => detailOf(node("x", type, data));
  expect(detail("model", { source: "openai-community/gpt2" })).toBe("gpt2");
  expect(detail("dataset")).toBe("no source yet");
  expect(detail("finetune")).toBe("Generation");
  expect(detail("note", { text: "Try\nmore" })).toBe("Try");
});

it.each<[string, (doc: Workflow) => Workflow, string]>([
  ["a node", (d) => ({ ...d, nodes: [...d.nodes, node("x", "note")] }), "added Note"],
  ["its removal", (d) => remove(d, new Set(["d"]), new Set()), "deleted Dataset"],
  ["several", (d) => remove(d, new Set(["d", "m"]), new Set()), "deleted 2 nodes"],
  [
    "a cut",
    (d) => remove(d, new Set(), new Set(["m-f-model"])),
    "disconnected Model from Finetuning",
  ],
  ["a name", (d) => setLabel(d, "f", "Long"), "renamed Finetuning to Long"],
  ["a field", (d) => setData(d, "f", { epochs: 9 }), "changed Epochs of Finetuning"],
  ["a role", (d) => setData(d, "f", { text_field: "t" }), "changed Text field of Finetuning"],
  ["two fields", (d) => setData(d, "f", { epochs: 9, seed: 1 }), "changed fields of Finetuning"],
  ["a move", (d) => at(d, { m: [5, 5] }), "moved Model"],
  ["nothing", (d) => ({ ...d, viewport: { x: 1, y: 1, zoom: 2 } }), ""],
])("says of an edit what it did: %s", (_, change, words) => {
  expect(describeChange(three(), change(three()))).toBe(words);
});

it("calls a replaced connection by the new one alone", () => {
  const doc = { ...three(), nodes: [...three().nodes, { ...node("m2", "model"), label: "Big" }] };
  const cut = remove(doc, new Set(), new Set(["m-f-model"]));
  const link = { source: "m2", sourceHandle: "model", target: "f", targetHandle: "model" };
  expect(describeChange(doc, connect(cut, link))).toBe("connected Big to Finetuning");
});
