/** The graph as a list to read and to work with: nodes in flow order, and what may connect to what. */
import type { Edge, Node, Workflow } from "../protocol";
import { TASKS } from "./fields";
import { shortSource } from "./format";
import { fieldValue } from "./graph";
import { KINDS, type Link, refusal } from "./ports";

export interface InputLine {
  handle: string;
  /** The first edge into it, and the node at its other end. */
  edge: Edge | null;
  from: Node | null;
}
export interface Line {
  node: Node;
  inputs: InputLine[];
}

/** What tells it from others of its kind: where it comes from, what it trains, how it begins. */
export function detailOf(node: Node): string {
  if (node.type === "model" || node.type === "dataset")
    return shortSource(String(fieldValue(node, "source") ?? "")) || "no source yet";
  if (node.type === "finetune") {
    const task = fieldValue(node, "task");
    return TASKS.find(([value]) => value === task)?.[1] ?? String(task ?? "");
  }
  if (node.type === "note") return String(fieldValue(node, "text") ?? "").split("\n")[0] ?? "";
  return "unknown to this version";
}

/** Every node after what flows into it; otherwise from top to bottom, as it is drawn. */
export function flowOrder(doc: Workflow): Node[] {
  const known = new Map(doc.nodes.map((n) => [n.id, n]));
  const into = new Map<string, Edge[]>();
  for (const e of doc.edges) into.set(e.target, [...(into.get(e.target) ?? []), e]);
  const order: Node[] = [];
  const seen = new Set<string>();
  const drawn = (a: Node, b: Node) => a.position.y - b.position.y || a.position.x - b.position.x;
  // A stack of our own: a chain may be longer than the engine's.
  const visit = (root: Node) => {
    const stack: [Node, boolean][] = [[root, false]];
    for (let top = stack.pop(); top; top = stack.pop()) {
      const [node, done] = top;
      if (done) {
        order.push(node);
        continue;
      }
      if (seen.has(node.id)) continue;
      seen.add(node.id);
      stack.push([node, true]);
      const sources = handles(node).flatMap((handle) =>
        (into.get(node.id) ?? []).flatMap((e) => {
          const source = e.targetHandle === handle ? known.get(e.source) : undefined;
          return source ? [source] : [];
        }),
      );
      for (const source of sources.reverse()) stack.push([source, false]);
    }
  };
  const nodes = [...doc.nodes].sort(drawn);
  for (const node of nodes) if (into.has(node.id)) visit(node);
  for (const node of nodes) visit(node);
  return order;
}

const handles = (node: Node): string[] => Object.keys(KINDS[node.type]?.inputs ?? {});

export function outline(doc: Workflow): Line[] {
  const known = new Map(doc.nodes.map((n) => [n.id, n]));
  const into = new Map<string, Edge>();
  for (const e of doc.edges) {
    const key = `${e.target}|${e.targetHandle}`;
    if (!into.has(key)) into.set(key, e);
  }
  return flowOrder(doc).map((node) => ({
    node,
    inputs: handles(node).map((handle) => {
      const edge = into.get(`${node.id}|${handle}`) ?? null;
      return { handle, edge, from: (edge && known.get(edge.source)) ?? null };
    }),
  }));
}

export interface Choice {
  link: Link;
  node: Node;
}

/** What may flow into an input; an input that is taken gives its edge up. */
export function sourcesFor(doc: Workflow, target: string, handle: string): Choice[] {
  const free = freed(doc, target, handle);
  return flowOrder(doc).flatMap((node) =>
    Object.keys(KINDS[node.type]?.outputs ?? {}).flatMap((out) => {
      const link = { source: node.id, sourceHandle: out, target, targetHandle: handle };
      return refusal(free, link) === null ? [{ link, node }] : [];
    }),
  );
}

/** Where a node's result may go and does not yet. */
export function targetsFor(doc: Workflow, source: string): Choice[] {
  const from = doc.nodes.find((n) => n.id === source);
  const outs = Object.keys(KINDS[from?.type ?? ""]?.outputs ?? {});
  return flowOrder(doc).flatMap((node) =>
    handles(node).flatMap((handle) =>
      outs.flatMap((out) => {
        const link = { source, sourceHandle: out, target: node.id, targetHandle: handle };
        const there = doc.edges.some((e) => e.source === source && into(e, node.id, handle));
        if (there || refusal(freed(doc, node.id, handle), link) !== null) return [];
        return [{ link, node }];
      }),
    ),
  );
}

const into = (e: Edge, target: string, handle: string) =>
  e.target === target && e.targetHandle === handle;
const freed = (doc: Workflow, target: string, handle: string): Workflow => ({
  ...doc,
  edges: doc.edges.filter((e) => !into(e, target, handle)),
});
