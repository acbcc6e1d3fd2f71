/** What one edit did, in words: said when it is undone, and of edits whose effect is only seen. */
import type { Edge, Node, Workflow } from "../protocol";
import { DATASET_FIELDS, GROUPS, HELD_OUT, MODEL_FIELDS, NODE_FIELDS } from "./fields";
import { same } from "./graph";
import { nameOf } from "./names";
import { roleLabel } from "./roles";

/** "deleted Dataset", "changed Epochs of Finetuning"; empty where nothing differs. */
export function describe(before: Workflow, after: Workflow): string {
  return structure(before, after) || content(before, after);
}

/** What came, went, was connected or not: the part of an edit that no field shows. */
export function structure(before: Workflow, after: Workflow): string {
  const was = byId(before.nodes);
  const is = byId(after.nodes);
  const added = after.nodes.filter((n) => !was.has(n.id));
  const removed = before.nodes.filter((n) => !is.has(n.id));
  if (added.length + removed.length > 0) {
    return [some("added", added), some("deleted", removed)].filter(Boolean).join(", ");
  }
  const made = without(after.edges, before.edges);
  const cut = without(before.edges, after.edges);
  const gone = cut.filter((e) => !made.some((m) => intoSame(m, e)));
  return [
    edges("connected", "to", made, is, "connections"),
    edges("disconnected", "from", gone, was, "connections"),
  ]
    .filter(Boolean)
    .join(", ");
}

function content(before: Workflow, after: Workflow): string {
  const was = byId(before.nodes);
  const pairs = after.nodes.flatMap((node) => {
    const old = was.get(node.id);
    return old && old !== node ? [{ old, node }] : [];
  });
  const named = pairs.filter(({ old, node }) => old.label !== node.label);
  const filled = pairs.filter(({ old, node }) => !same(old.data, node.data));
  const moved = pairs.filter(({ old, node }) => !same(old.position, node.position));
  const [one] = named;
  if (one && named.length === 1) return `renamed ${nameOf(one.old)} to ${nameOf(one.node)}`;
  const [first] = filled;
  if (first && filled.length === 1) {
    const fields = [...new Set([...Object.keys(first.old.data), ...Object.keys(first.node.data)])];
    const changed = fields.filter((f) => !same(first.old.data[f], first.node.data[f]));
    const what = changed.length === 1 ? label(first.node, changed[0] ?? "") : "fields";
    return `changed ${what} of ${nameOf(first.node)}`;
  }
  if (filled.length > 1) return `changed ${filled.length} nodes`;
  return some(
    "moved",
    moved.map((m) => m.node),
  );
}

const LABELS = new Map(
  [...NODE_FIELDS, ...GROUPS.flatMap((g) => g.fields), ...DATASET_FIELDS, HELD_OUT, ...MODEL_FIELDS]
    .filter((f) => f.label)
    .map((f) => [f.name, f.label]),
);
/** What a field is called where it stands. */
export const label = (node: Node, field: string): string =>
  roleLabel(node, field) ?? LABELS.get(field) ?? field.replaceAll("_", " ");

const byId = (nodes: Node[]) => new Map(nodes.map((n) => [n.id, n]));
const without = (all: Edge[], others: Edge[]) => {
  const ids = new Set(others.map((e) => e.id));
  return all.filter((e) => !ids.has(e.id));
};
const intoSame = (a: Edge, b: Edge) => a.target === b.target && a.targetHandle === b.targetHandle;

function some(verb: string, nodes: Node[]): string {
  const [only] = nodes;
  if (!only) return "";
  return nodes.length === 1 ? `${verb} ${nameOf(only)}` : `${verb} ${nodes.length} nodes`;
}

function edges(
  verb: string,
  way: string,
  list: Edge[],
  nodes: Map<string, Node>,
  many: string,
): string {
  const [only] = list;
  if (!only) return "";
  if (list.length > 1) return `${verb} ${list.length} ${many}`;
  const name = (id: string) => {
    const node = nodes.get(id);
    return node ? nameOf(node) : "a node";
  };
  return `${verb} ${name(only.source)} ${way} ${name(only.target)}`;
}
