/** Automatic layout: the flow runs to the right. */
import { Graph, layout } from "@dagrejs/dagre";
import type { Position, Workflow } from "../protocol";
import { WIDTH } from "./graph";

export interface Size {
  width: number;
  height: number;
}

const GAP = 24;

/** What is connected lies together; parts stand below each other in the order they were made. */
export function arrange(doc: Workflow, sizes: Map<string, Size>): Map<string, Position> {
  const places = new Map<string, Position>();
  let top = 0;
  for (const part of parts(doc)) {
    const boxes = laidOut(part, sizes);
    const sign = upsideDown(part, boxes) ? -1 : 1;
    const tops = [...boxes].map(([id, b]) => [id, b, sign * b.y - b.height / 2] as const);
    const first = Math.min(...tops.map(([, , y]) => y));
    for (const [id, b, y] of tops)
      places.set(id, { x: Math.round(b.x - b.width / 2), y: Math.round(y - first + top) });
    top += Math.max(...tops.map(([, b, y]) => y - first + b.height)) + 2 * GAP;
  }
  return places;
}

/** The document in pieces that no edge joins. */
function parts(doc: Workflow): Workflow[] {
  const nodes = new Map(doc.nodes.map((n) => [n.id, n]));
  const edges = doc.edges.filter((e) => nodes.has(e.source) && nodes.has(e.target));
  const beside = new Map<string, string[]>(doc.nodes.map((n) => [n.id, []]));
  for (const { source, target } of edges) {
    beside.get(source)?.push(target);
    beside.get(target)?.push(source);
  }
  const seen = new Set<string>();
  return doc.nodes.flatMap(({ id }) => {
    if (seen.has(id)) return [];
    const mine = new Set([id]);
    for (const one of mine) for (const next of beside.get(one) ?? []) mine.add(next);
    for (const one of mine) seen.add(one);
    return {
      ...doc,
      nodes: doc.nodes.filter((n) => mine.has(n.id)),
      edges: edges.filter((e) => mine.has(e.source)),
    };
  });
}

type Boxes = Map<string, Size & Position>; // a position is that of the middle

function laidOut(doc: Workflow, sizes: Map<string, Size>): Boxes {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", nodesep: GAP, ranksep: 96 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of doc.nodes) {
    const size = sizes.get(node.id) ?? { width: WIDTH[node.type] ?? 232, height: 120 };
    graph.setNode(node.id, { ...size });
  }
  for (const edge of doc.edges) graph.setEdge(edge.source, edge.target);
  layout(graph);
  return new Map(doc.nodes.map(({ id }) => [id, graph.node(id) as Size & Position]));
}

/**
 * Whether it is better turned over: dagre does not know in which order the ports of a node
 * stand. Fewer crossings come first, then the order in which the nodes were made.
 */
function upsideDown(doc: Workflow, boxes: Boxes): boolean {
  const y = (id: string) => boxes.get(id)?.y ?? 0;
  const port = (handle: string | null | undefined) => (handle === "model" ? 0 : 1);
  let [asItIs, turned] = [0, 0];
  each(doc.edges, (a, b) => {
    const [from, to] = [y(a.source) - y(b.source), y(a.target) - y(b.target)];
    const ports = port(a.targetHandle) - port(b.targetHandle);
    if (from * (to || ports) < 0) asItIs++;
    if (-from * (-to || ports) < 0) turned++;
  });
  if (asItIs !== turned) return turned < asItIs;
  let inOrder = 0;
  each(doc.nodes, (a, b) => {
    if (boxes.get(a.id)?.x === boxes.get(b.id)?.x) inOrder += Math.sign(y(b.id) - y(a.id));
  });
  return inOrder < 0;
}

function each<T>(items: T[], look: (a: T, b: T) => void): void {
  items.forEach((a, i) => {
    for (const b of items.slice(i + 1)) look(a, b);
  });
}
