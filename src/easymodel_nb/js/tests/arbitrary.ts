/** Random edits of a document, for the property tests: each a function of the document it meets. */
import fc from "fast-check";
import { setSource } from "../src/logic/another-source";
import * as edits from "../src/logic/edits";
import * as graph from "../src/logic/graph";
import { KINDS } from "../src/logic/ports";
import { reconnect } from "../src/logic/reconnect";
import type { Workflow } from "../src/protocol";

export type Edit = (doc: Workflow) => Workflow;

const pick = <T>(list: T[], n: number): T | undefined => list[n % Math.max(1, list.length)];
const index = fc.nat({ max: 30 });
const place = fc.record({ x: fc.integer({ min: -500, max: 500 }), y: fc.nat({ max: 500 }) });
const type = fc.constantFrom("model", "dataset", "finetune", "note", "future");
const handles = Object.values(KINDS).flatMap((k) => [
  ...Object.keys(k.inputs),
  ...Object.keys(k.outputs),
]);
const handle = fc.constantFrom(...new Set(handles), "nothing", null);
const value = fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.boolean());
const some = (doc: Workflow, ns: number[]) => ns.flatMap((n) => pick(doc.nodes, n)?.id ?? []);

const add = fc.tuple(type, place).map(
  ([t, at]): Edit =>
    (doc) =>
      graph.addNode(doc, graph.makeNode(t, at)),
);
const connect = fc.tuple(index, handle, index, handle).map(
  ([s, sourceHandle, t, targetHandle]): Edit =>
    (doc) => {
      const [source, target] = [pick(doc.nodes, s)?.id ?? "", pick(doc.nodes, t)?.id ?? ""];
      return graph.connect(doc, { source, sourceHandle, target, targetHandle });
    },
);
/** Of the kind that mostly fits, so that graphs become deep. */
const chain = fc.tuple(index, index).map(
  ([s, t]): Edit =>
    (doc) => {
      const target = pick(
        doc.nodes.filter((n) => n.type === "finetune"),
        t,
      );
      const source = pick(doc.nodes, s);
      if (!source || !target) return doc;
      const name = source.type === "dataset" ? "dataset" : "model";
      const link = { source: source.id, sourceHandle: name, target: target.id, targetHandle: name };
      return graph.connect(doc, link);
    },
);
const moveEnd = fc.tuple(index, index, handle, fc.boolean()).map(
  ([e, n, to, target]): Edit =>
    (doc) => {
      const edge = pick(doc.edges, e);
      const other = pick(doc.nodes, n);
      if (!edge || !other) return doc;
      const { id, source, sourceHandle = null, target: into, targetHandle = null } = edge;
      const link = target
        ? { source, sourceHandle, target: other.id, targetHandle: to }
        : { source: other.id, sourceHandle: to, target: into, targetHandle };
      return reconnect(doc, id, link);
    },
);
const source = fc.tuple(index, fc.string()).map(
  ([n, name]): Edit =>
    (doc) =>
      setSource(doc, pick(doc.nodes, n)?.id ?? "", name),
);
const setField = fc
  .tuple(index, fc.constantFrom("epochs", "seed", "source", "text", "future"), value)
  .map(
    ([n, name, v]): Edit =>
      (doc) =>
        graph.setData(doc, pick(doc.nodes, n)?.id ?? "", { [name]: v }),
  );
const rename = fc.tuple(index, fc.string()).map(
  ([n, label]): Edit =>
    (doc) =>
      graph.setLabel(doc, pick(doc.nodes, n)?.id ?? "", label),
);
const move = fc.tuple(fc.array(index, { maxLength: 3 }), place).map(
  ([ns, { x, y }]): Edit =>
    (doc) =>
      edits.nudge(doc, some(doc, ns), x, y),
);
const remove = fc.tuple(fc.array(index, { maxLength: 2 }), fc.array(index, { maxLength: 2 })).map(
  ([ns, es]): Edit =>
    (doc) =>
      graph.remove(
        doc,
        new Set(some(doc, ns)),
        new Set(es.flatMap((n) => pick(doc.edges, n)?.id ?? [])),
      ),
);
const copy = fc.tuple(fc.array(index, { maxLength: 3 }), fc.option(place)).map(
  ([ns, at]): Edit =>
    (doc) =>
      edits.paste(doc, edits.copyOf(doc, some(doc, ns)), at)[0],
);
const align = fc
  .tuple(
    fc.array(index, { maxLength: 4 }),
    fc.constantFrom("left", "center", "right", "top", "middle", "bottom", "across", "down"),
  )
  .map(
    ([ns, how]): Edit =>
      (doc) =>
        edits.align(doc, some(doc, ns), how as edits.Alignment, new Map()),
  );
const note = place.map(
  (at): Edit =>
    (doc) =>
      edits.addNote(doc, at, "a note")[0],
);
const feeding = fc.tuple(index, handle, fc.constantFrom("source", "target"), type, place).map(
  ([n, h, side, t, at]): Edit =>
    (doc) =>
      edits.addFeeding(doc, t, at, {
        node: pick(doc.nodes, n)?.id ?? "",
        handle: h ?? "",
        side: side as "source" | "target",
      })[0],
);
const three = fc.constant<Edit>((doc) => graph.addThree(doc, "builtin:a", "builtin:b"));

export const anEdit: fc.Arbitrary<Edit> = fc.oneof(
  add,
  connect,
  { arbitrary: chain, weight: 2 },
  moveEnd,
  source,
  { arbitrary: setField, weight: 3 },
  rename,
  move,
  remove,
  copy,
  align,
  note,
  feeding,
  three,
  { arbitrary: fc.constant<Edit>(edits.clear), weight: 1 },
);

/** Several edits, one after the other. */
export const editsOf = (maxLength: number): fc.Arbitrary<Edit> =>
  fc.array(anEdit, { maxLength }).map(
    (list): Edit =>
      (doc) =>
        list.reduce((d, edit) => edit(d), doc),
  );
