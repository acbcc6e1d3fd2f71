import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inWords } from "../src/logic/clash-words";
import * as edits from "../src/logic/edits";
import * as graph from "../src/logic/graph";
import { merge, sameWork } from "../src/logic/merge";
import { refusal, replaced } from "../src/logic/ports";
import type { Workflow } from "../src/protocol";
import { editsOf } from "./arbitrary";
import { flow, node, three } from "./make";

/** Milliseconds; many documents on a machine that does much else. */
const SLOW = 60_000;

const field = (epochs: number, doc = three()) => graph.setData(doc, "f", { epochs });
const link = (source: string, target: string) => ({
  source,
  sourceHandle: "model",
  target,
  targetHandle: "model",
});
const drop = (id: string, doc = three()) => graph.remove(doc, new Set([id]), new Set());
const ids = (doc: Workflow) => doc.nodes.map((n) => n.id).sort();

describe("two edits of one document", () => {
  it("different nodes and different fields are joined", () => {
    const mine = graph.setLabel(field(5), "m", "Mine");
    const theirs = edits.nudge(graph.setData(three(), "f", { seed: 7 }), ["m"], 5, 5);
    const { document, clashes } = merge([three()], mine, theirs);
    expect(clashes).toEqual([]);
    expect(document.nodes).toMatchObject([
      { label: "Mine", position: { x: 5, y: 5 } },
      { id: "d" },
      { data: { epochs: 5, seed: 7 } },
    ]);
  });

  it("the same field asks, with both values, and each can be taken", () => {
    const { clashes, document } = merge([three()], field(5), field(6));
    expect(clashes).toEqual([{ node: "f", field: "epochs", mine: 5, theirs: 6 }]);
    expect(document).toEqual(field(5));
    expect(merge([three()], field(5), field(6), () => "theirs").document).toEqual(field(6));
    expect(merge([three()], field(5), field(5)).clashes).toEqual([]);
  });

  it("parts of a value that has parts are fields of their own", () => {
    const format = (f: object) => graph.setData(three(), "d", { format: f });
    const base = format({ delimiter: null });
    const mine = format({ delimiter: ";" });
    const { document, clashes } = merge([base], mine, format({ delimiter: null, header: true }));
    expect(clashes).toEqual([]);
    expect(document.nodes[1]?.data.format).toEqual({ delimiter: ";", header: true });
    const [clash] = merge([base], mine, format({ delimiter: "|" })).clashes;
    expect(clash).toMatchObject({ field: "format.delimiter", mine: ";", theirs: "|" });
  });

  it("a place is one thing", () => {
    const mine = edits.nudge(three(), ["m"], 5, 0);
    const theirs = edits.nudge(three(), ["m"], 0, 5);
    expect(merge([three()], mine, theirs).clashes).toMatchObject([{ field: "position" }]);
  });

  it("what was sent and never answered is ours", () => {
    // 4 was sent and arrived; someone built on it while here it became 5.
    const theirs = graph.setData(field(4), "f", { seed: 1 });
    const { document, clashes } = merge([three(), field(4)], field(5), theirs);
    expect(clashes).toEqual([]);
    expect(document).toEqual(graph.setData(field(5), "f", { seed: 1 }));
    // Back to 3 here, 9 there: both changed it.
    expect(merge([three(), field(4)], three(), field(9)).clashes).toHaveLength(1);
    expect(merge([three()], three(), field(9)).clashes).toHaveLength(0);
  });
});

describe("a deletion", () => {
  it("goes through where the other side left the node alone", () => {
    expect(ids(merge([three()], drop("m"), field(5)).document)).toEqual(["d", "f"]);
    expect(ids(merge([three()], field(5), drop("m")).document)).toEqual(["d", "f"]);
  });

  it("of an edited node asks, on either side; kept, it keeps its connections", () => {
    for (const [mine, theirs, keep] of [
      [drop("f"), field(5), "theirs"],
      [field(5), drop("f"), "mine"],
    ] as const) {
      const gone = merge([three()], mine, theirs, () => (keep === "mine" ? "theirs" : "mine"));
      expect(gone.clashes).toMatchObject([{ node: "f", field: null }]);
      expect(ids(gone.document)).toEqual(["d", "m"]);
      expect(gone.document.edges).toEqual([]);
      const kept = merge([three()], mine, theirs, () => keep);
      expect(sameWork(kept.document, { ...field(5), nodes: kept.document.nodes })).toBe(true);
      expect(ids(kept.document)).toEqual(["d", "f", "m"]);
    }
  });

  it("of a node that the other side connected asks", () => {
    const base = graph.addNode(three(), node("g", "finetune"));
    const theirs = graph.connect(base, link("m", "g"));
    const { clashes } = merge([base], drop("m", base), theirs);
    expect(clashes).toMatchObject([{ node: "m", mine: "deleted", theirs: "edited" }]);
  });

  it("of one's own new node stays, though it had been sent", () => {
    const sent = graph.addNode(three(), node("g", "finetune"));
    expect(ids(merge([three(), sent], three(), sent).document)).toEqual(["d", "f", "m"]);
  });
});

describe("connections", () => {
  const base = () => {
    const models = [node("m2", "model"), node("m3", "model"), node("g", "finetune")];
    return models.reduce(graph.addNode, three());
  };

  it("of one input are one field", () => {
    const mine = graph.connect(base(), link("m2", "f"));
    const theirs = graph.connect(base(), link("m3", "f"));
    const { clashes, document } = merge([base()], mine, theirs);
    expect(clashes).toEqual([{ node: "f", field: "model", mine: ["m2"], theirs: ["m3"] }]);
    expect(document.edges.filter((e) => e.targetHandle === "model")).toMatchObject([
      { source: "m2" },
    ]);
    expect(inWords(clashes[0] as never, mine, theirs)).toMatchObject({
      about: "Finetuning, Model input",
      mine: "Model 2",
      theirs: "Model 3",
    });
  });

  it("of different inputs are joined, and the same one made twice is one", () => {
    const mine = graph.connect(base(), link("m2", "g"));
    const theirs = graph.connect(graph.connect(base(), link("m2", "g")), link("m3", "f"));
    const { clashes, document } = merge([base()], mine, theirs);
    expect(clashes).toEqual([]);
    expect(document.edges).toHaveLength(3);
  });

  it("that together would close a circle ask", () => {
    const two = flow([node("f", "finetune"), node("g", "finetune")]);
    const mine = graph.connect(two, link("f", "g"));
    const theirs = graph.connect(two, link("g", "f"));
    const { clashes, document } = merge([two], mine, theirs);
    expect(clashes).toHaveLength(1);
    expect(document.edges).toMatchObject([{ source: "f", target: "g" }]);
    const other = merge([two], mine, theirs, () => "theirs").document;
    expect(other.edges).toMatchObject([{ source: "g", target: "f" }]);
  });
});

describe("whatever was edited", () => {
  const cases = fc.tuple(editsOf(6), editsOf(6), editsOf(6)).map(([before, mine, theirs]) => {
    const base = before(three());
    return { base, mine: mine(base), theirs: theirs(base) };
  });
  const ordered = (doc: Workflow) => ({
    ...doc,
    nodes: [...doc.nodes].sort((a, b) => (a.id < b.id ? -1 : 1)),
    edges: doc.edges.map((e) => [e.source, e.sourceHandle, e.target, e.targetHandle].join()).sort(),
  });

  it(
    "one side alone is that side",
    () => {
      fc.assert(
        fc.property(cases, ({ base, mine, theirs }) => {
          for (const [left, right] of [
            [base, theirs],
            [theirs, base],
            [theirs, theirs],
          ] as const) {
            const { document, clashes } = merge([base], left, right);
            expect(clashes).toEqual([]);
            expect(ordered(document)).toEqual({ ...ordered(theirs), name: right.name });
          }
          // What was sent is ours: nothing of it comes back.
          expect(ordered(merge([base, theirs], mine, theirs).document)).toEqual(ordered(mine));
        }),
      );
    },
    SLOW,
  );

  it(
    "what comes of it may be, whoever is chosen",
    () => {
      const choices = fc.array(fc.constantFrom<"mine" | "theirs">("mine", "theirs"));
      fc.assert(
        fc.property(cases, editsOf(3), choices, ({ base, mine, theirs }, sent, choice) => {
          let asked = 0;
          const choose = () => choice[asked++ % choice.length] ?? "mine";
          const { document: doc } = merge([base, sent(base)], mine, theirs, choose);
          expect(new Set(doc.nodes.map((n) => n.id)).size).toBe(doc.nodes.length);
          for (const edge of doc.edges) {
            const others = { ...doc, edges: doc.edges.filter((e) => e !== edge) };
            expect(refusal(others, edge)).toBeNull();
            expect(replaced(others, edge)).toEqual([]);
          }
        }),
      );
    },
    SLOW,
  );

  it(
    "both sides come to the same, and each finds its fields in it",
    () => {
      fc.assert(
        fc.property(cases, ({ base, mine, theirs }) => {
          const here = merge([base], mine, theirs);
          const there = merge([base], theirs, mine, () => "theirs");
          expect(here.clashes).toHaveLength(there.clashes.length);
          expect(sameWork(ordered(here.document) as never, ordered(there.document) as never)).toBe(
            true,
          );
          const asked = new Set(here.clashes.map((c) => `${c.node} ${c.field}`));
          for (const n of theirs.nodes) {
            const before = base.nodes.find((b) => b.id === n.id);
            const after = here.document.nodes.find((a) => a.id === n.id);
            for (const key of Object.keys(n.data)) {
              if (graph.same(before?.data[key], n.data[key])) continue;
              if (asked.has(`${n.id} ${key}`) || asked.has(`${n.id} null`)) continue;
              expect(after?.data[key]).toEqual(n.data[key]);
            }
          }
        }),
      );
    },
    SLOW,
  );
});
