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
  return new Map(
    doc.nodes.map(({ id }) => {
      const box = graph.node(id) as Size & Position;
      return [id, { x: Math.round(box.x - box.width / 2), y: Math.round(box.y - box.height / 2) }];
    }),
  );
}
