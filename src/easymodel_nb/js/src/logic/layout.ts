/** Automatic layout: the flow runs to the right. */
import { Graph, layout } from "@dagrejs/dagre";
import type { Position, Workflow } from "../protocol";
import { WIDTH } from "./graph";

export interface Size {
  width: number;
  height: number;
}

export function arrange(doc: Workflow, sizes: Map<string, Size>): Map<string, Position> {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 24, ranksep: 96 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of doc.nodes) {
    const size = sizes.get(node.id) ?? { width: WIDTH[node.type] ?? 232, height: 120 };
    graph.setNode(node.id, { ...size });
  }
  for (const edge of doc.edges) {
    if (graph.hasNode(edge.source) && graph.hasNode(edge.target))
      graph.setEdge(edge.source, edge.target);
  }
  layout(graph);
  const boxes = new Map(doc.nodes.map(({ id }) => [id, graph.node(id) as Size & Position]));
  const sign = upsideDown(doc, boxes) ? -1 : 1;
  const top = Math.min(...[...boxes.values()].map((b) => sign * b.y - b.height / 2));
  return new Map(
    [...boxes].map(([id, b]) => {
      const y = sign * b.y - b.height / 2 - top;
      return [id, { x: Math.round(b.x - b.width / 2), y: Math.round(y) }];
    }),
  );
}

/**
 * Whether it is better turned over: dagre does not know in which order the ports of a node
 * stand. Fewer crossings come first, then the order in which the nodes were made.
 */
function upsideDown(doc: Workflow, boxes: Map<string, Size & Position>): boolean {
  const y = (id: string) => boxes.get(id)?.y ?? 0;
  const port = (handle: string | null | undefined) => (handle === "model" ? 0 : 1);
  const edges = doc.edges.filter((e) => boxes.has(e.source) && boxes.has(e.target));
  let [asItIs, turned] = [0, 0];
  each(edges, (a, b) => {
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
