/** An end of an edge moved to another port: one step, under the same rules as a new edge. */
import type { Edge, Workflow } from "../protocol";
import { connect } from "./graph";
import { type Link, refusal } from "./ports";

const sameEnds = (edge: Edge, link: Link) =>
  edge.source === link.source &&
  (edge.sourceHandle ?? null) === link.sourceHandle &&
  edge.target === link.target &&
  (edge.targetHandle ?? null) === link.targetHandle;

/** The edge makes way for one that links these; its own ends, or a refusal, change nothing. */
export function reconnect(doc: Workflow, id: string, link: Link): Workflow {
  const edge = doc.edges.find((e) => e.id === id);
  if (!edge || sameEnds(edge, link)) return doc;
  const others = { ...doc, edges: doc.edges.filter((e) => e !== edge) };
  return refusal(others, link) === null ? connect(others, link) : doc;
}
