/** Changes of the workflow document. Each returns a new document and leaves the old one alone. */
import type { Edge, FieldChange, Node, Position, Workflow } from "../protocol";
import { DEFAULTS } from "../protocol";
import { type Link, refusal } from "./ports";

export const WIDTH: Record<string, number> = { model: 232, dataset: 232, finetune: 336, note: 200 };
const PREFIX: Record<string, string> = { model: "m", dataset: "d", finetune: "f", note: "n" };

/** Ids are never used twice: runs belong to nodes by id, also to deleted ones. */
export function freshId(prefix: string): string {
  const random = crypto.getRandomValues(new Uint32Array(2));
  return `${prefix}${Array.from(random, (n) => n.toString(36))
    .join("")
    .slice(0, 8)}`;
}

export function makeNode(type: string, position: Position, data: Node["data"] = {}): Node {
  return { id: freshId(PREFIX[type] ?? "x"), type, label: null, position, data };
}

export function addNode(doc: Workflow, node: Node): Workflow {
  return { ...doc, nodes: [...doc.nodes, node] };
}

export function connect(doc: Workflow, link: Link): Workflow {
  if (refusal(doc, link) !== null) return doc;
  const edge: Edge = { id: freshId("e"), ...link };
  return { ...doc, edges: [...doc.edges, edge] };
}

/** A Model, a Dataset and a Finetuning node, connected; the sources are the first of the lists. */
export function addThree(doc: Workflow, model: string, dataset: string): Workflow {
  const m = makeNode("model", { x: 0, y: 0 }, { source: model });
  const d = makeNode("dataset", { x: 0, y: 190 }, { source: dataset });
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

/** Connects a dataset to the Finetuning node that has none, if there is exactly one. */
export function feedLonely(doc: Workflow, dataset: string): Workflow {
  const lonely = doc.nodes.filter((n) => n.type === "finetune" && !inputOf(doc, n.id, "dataset"));
  const only = lonely.length === 1 ? lonely[0] : undefined;
  const link = { source: dataset, sourceHandle: "dataset", targetHandle: "dataset" };
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
    if (!to || (to.x === n.position.x && to.y === n.position.y)) return n;
    return { ...n, position: { x: Math.round(to.x), y: Math.round(to.y) } };
  });
  return moved.every((n, i) => n === doc.nodes[i]) ? doc : { ...doc, nodes: moved };
}

export function setLabel(doc: Workflow, id: string, label: string): Workflow {
  return mapNode(doc, id, (n) => ({ ...n, label: label.trim() || null }));
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

export function duplicate(doc: Workflow, id: string): [Workflow, string | null] {
  const node = doc.nodes.find((n) => n.id === id);
  if (!node) return [doc, null];
  const copy: Node = {
    ...node,
    id: freshId(PREFIX[node.type] ?? "x"),
    position: { x: node.position.x + 24, y: node.position.y + 24 },
    data: structuredClone(node.data),
  };
  const inputs = doc.edges
    .filter((e) => e.target === id)
    .map((e) => ({ ...e, id: freshId("e"), target: copy.id }));
  return [{ ...doc, nodes: [...doc.nodes, copy], edges: [...doc.edges, ...inputs] }, copy.id];
}

/** A field's value; an absent field has its default. */
export function fieldValue(node: Node, field: string): unknown {
  return field in node.data ? node.data[field] : DEFAULTS[node.type]?.[field];
}

/** What flows into an input handle: the node at the other end of its first edge. */
export function inputOf(doc: Workflow, id: string, handle: string): Node | undefined {
  const edge = doc.edges.find((e) => e.target === id && e.targetHandle === handle);
  return edge && doc.nodes.find((n) => n.id === edge.source);
}

/** Whether two documents say the same; absent, undefined and null keys count as equal. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b || (a ?? null) === (b ?? null)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every((k) => same(left[k], right[k]));
}
