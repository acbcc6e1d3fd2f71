import { describe, expect, it } from "vitest";
import { linkOf, portKey, portsOf, portsThatFit } from "../src/logic/fits";
import { addThree, makeNode } from "../src/logic/graph";
import { search } from "../src/logic/search";
import { EMPTY } from "../src/state/store";

describe("search", () => {
  const entries = [
    { title: "Model", group: "Nodes" },
    { title: "Finetuning", group: "Nodes" },
    { title: "Tiny GPT-2", detail: "a small model", group: "Models" },
    { title: "Requests", detail: "for finetuning", group: "Data" },
  ];
  const titles = (typed: string) => search(entries, typed).map((e) => e.title);

  it("gives everything as it is when nothing was typed", () => {
    expect(titles(" ")).toEqual(entries.map((e) => e.title));
  });
  it("prefers titles to details, and beginnings to middles", () => {
    expect(titles("mod")).toEqual(["Model", "Tiny GPT-2"]);
    expect(titles("fine")).toEqual(["Finetuning", "Requests"]);
    expect(titles("gpt")).toEqual(["Tiny GPT-2"]);
  });
  it("wants every word", () => {
    expect(titles("tiny small")).toEqual(["Tiny GPT-2"]);
    expect(titles("tiny large")).toEqual([]);
  });
});

describe("ports that fit", () => {
  const doc = addThree(EMPTY, "m", "d");
  const [m, d, f] = doc.nodes.map((n) => n.id) as [string, string, string];
  const other = makeNode("finetune", { x: 0, y: 0 });
  const two = { ...doc, nodes: [...doc.nodes, other] };
  const output = { node: f, handle: "model", side: "source" } as const;

  it("are of the type that flows, and make no cycle", () => {
    expect(portsThatFit(doc, output)).toEqual([]);
    expect(portsThatFit(two, output).map(portKey)).toEqual([`${other.id}/target/model`]);
  });
  it("begin with those that are free", () => {
    const from = { node: d, handle: "dataset", side: "source" } as const;
    const found = portsThatFit(two, from).map((end) => end.node);
    expect(found).toEqual([other.id, f]);
  });
  it("can be looked for from an input", () => {
    const input = { node: other.id, handle: "model", side: "target" } as const;
    expect(portsThatFit(two, input).map((end) => end.node)).toEqual([m, f]);
    expect(linkOf(input, output)).toEqual(linkOf(output, input));
  });
  it("of a node are its inputs and then its outputs", () => {
    expect(portsOf(doc, f).map((end) => `${end.side} ${end.handle}`)).toEqual([
      "target model",
      "target dataset",
      "source model",
    ]);
    expect(portsOf(doc, "gone")).toEqual([]);
  });
});
