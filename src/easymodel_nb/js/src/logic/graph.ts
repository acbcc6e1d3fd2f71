/** Changes of the workflow document. Each returns a new document and leaves the old one alone. */
import type { Edge, FieldChange, Node, Position, Workflow } from "../protocol";
import { DEFAULTS } from "../protocol";
import { edgesInto, nodeOf } from "./lookup";
import { apart } from "./names";
import { type Link, refusal, replaced } from "./ports";

export const WIDTH: Record<string, number> = { model: 232, dataset: 232, finetune: 336, note: 200 };
const PREFIX: Record<string, string> = { model: "m", dataset: "d", finetune: "f", note: "n" };

/** Ids are never used twice: runs belong to nodes by id, also to deleted ones. */
export function freshId(prefix: string): string {
  const random = crypto.getRandomValues(new Uint32Array(2));
  return `${prefix}${Array.from(random, (n) => n.toString(36))
    .join("")
    .slice(0, 8)}`;
}

export const freshNodeId = (type: string) => freshId(PREFIX[type] ?? "x");

export function makeNode(type: string, position: Position, data: Node["data"] = {}): Node {
  return { id: freshNodeId(type), type, label: null, position, data };
}

export function addNode(doc: Workflow, node: Node): Workflow {
  return { ...doc, nodes: [...doc.nodes, apart(doc, node)] };
}

/** Connects two handles; a single input that is taken gets the new edge instead. */
export function connect(doc: Workflow, link: Link): Workflow {
  const there = (e: Edge) =>
    e.source === link.source &&
    e.sourceHandle === link.sourceHandle &&
    e.target === link.target &&
    e.targetHandle === link.targetHandle;
  if (refusal(doc, link) !== null || doc.edges.some(there)) return doc;
  const { source, sourceHandle, target, targetHandle } = link;
  const edge: Edge = { id: freshId("e"), source, sourceHandle, target, targetHandle };
  const old = new Set(replaced(doc, link).map((e) => e.id));
  return { ...doc, edges: [...doc.edges.filter((e) => !old.has(e.id)), edge] };
}

/** A Model, a Dataset and a Finetuning node, connected; the sources are the first of the lists. */
export function addThree(doc: Workflow, model: string, dataset: string): Workflow {
  const m = makeNode("model", { x: 0, y: 0 }, { source: model });
  const d = makeNode("dataset", { x: 0, y: 220 }, { source: dataset });
  const f = makeNode("finetune", { x: 404, y: 0 });
  let next = [m, d, f].reduce(addNode, doc);
  for (const [node, handle] of [
    [m, "model"],
    [d, "dataset"],
  ] as const) {
    next = connect(next, {
      source: node.id,
      sourceHandle: handle,
      target: f.id,
      targetHandle: handle,
    });
  }
  return next;
}

/** Connects a source to the Finetuning node that has none of its kind, if there is exactly one. */
export function feedLonely(doc: Workflow, source: string): Workflow {
  const handle = doc.nodes.find((n) => n.id === source)?.type;
  if (handle !== "model" && handle !== "dataset") return doc;
  const lonely = doc.nodes.filter((n) => n.type === "finetune" && !inputOf(doc, n.id, handle));
  const only = lonely.length === 1 ? lonely[0] : undefined;
  const link = { source, sourceHandle: handle, targetHandle: handle };
  return only ? connect(doc, { ...link, target: only.id }) : doc;
}

export function remove(doc: Workflow, nodes: Set<string>, edges: Set<string>): Workflow {
  const keeps = (e: Edge) => !(edges.has(e.id) || nodes.has(e.source) || nodes.has(e.target));
  const next = {
    ...doc,
    nodes: doc.nodes.filter((n) => !nodes.has(n.id)),
    edges: doc.edges.filter(keeps),
  };
  const same = next.nodes.length === doc.nodes.length && next.edges.length === doc.edges.length;
  return same ? doc : next;
}

function mapNode(doc: Workflow, id: string, change: (node: Node) => Node): Workflow {
  return { ...doc, nodes: doc.nodes.map((n) => (n.id === id ? change(n) : n)) };
}

export function move(doc: Workflow, positions: Map<string, Position>): Workflow {
  const moved = doc.nodes.map((n) => {
    const to = positions.get(n.id);
    const [x, y] = to ? [Math.round(to.x), Math.round(to.y)] : [n.position.x, n.position.y];
    return x === n.position.x && y === n.position.y ? n : { ...n, position: { x, y } };
  });
  return moved.every((n, i) => n === doc.nodes[i]) ? doc : { ...doc, nodes: moved };
}

export function setLabel(doc: Workflow, id: string, label: string): Workflow {
  const named = label.trim() || null;
  const node = doc.nodes.find((n) => n.id === id);
  if (!node || (node.label ?? null) === named) return doc;
  return mapNode(doc, id, (n) => ({ ...n, label: named }));
}

export function setData(doc: Workflow, id: string, patch: Record<string, unknown>): Workflow {
  const node = doc.nodes.find((n) => n.id === id);
  if (!node || Object.entries(patch).every(([k, v]) => Object.is(node.data[k], v))) return doc;
  return mapNode(doc, id, (n) => ({ ...n, data: { ...n.data, ...patch } }));
}

/** The field changes of a problem's fix. */
export function applyFix(doc: Workflow, changes: FieldChange[]): Workflow {
  return changes.reduce((d, c) => setData(d, c.node, { [c.field]: c.value }), doc);
}

/** A field's value; an absent field has its default. */
export function fieldValue(node: Node, field: string): unknown {
  return field in node.data ? node.data[field] : DEFAULTS[node.type]?.[field];
}

/** What flows into an input handle: the node at the other end of its first edge. */
export function inputOf(doc: Workflow, id: string, handle: string): Node | undefined {
  const edge = edgesInto(doc.edges, id).find((e) => e.targetHandle === handle);
  return edge && nodeOf(doc, edge.source);
}

/** Whether nothing but where nodes lie, their names and notes differs. */
export function trainsTheSame(a: Workflow, b: Workflow): boolean {
  const there = nodesThatTrain(b);
  const here = nodesThatTrain(a);
  return (
    here.length === there.length &&
    here.every((n, i) => {
      const other = there[i];
      return n.id === other?.id && n.type === other.type && same(n.data, other.data);
    }) &&
    same(a.edges, b.edges)
  );
}

const nodesThatTrain = (doc: Workflow) => doc.nodes.filter((n) => n.type !== "note");

/** Python writes these as null where they are absent; in a node's data null is a value. */
const OPTIONAL = new Set(["label", "sourceHandle", "targetHandle"]);

/** Whether two documents, or parts of them, say the same. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  const alike = (key: string) => OPTIONAL.has(key) && (left[key] ?? null) === (right[key] ?? null);
  return [...keys].every((key) => alike(key) || same(left[key], right[key]));
}
