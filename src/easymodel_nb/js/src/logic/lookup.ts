/** Nodes by id and edges by end, for whoever asks of one node at each change of the state. */
import type { Edge, Node, Workflow } from "../protocol";
import { groups, once } from "./once";

// The first of an id, as a search through the list would find it.
const byId = once((nodes: Node[]) => new Map([...nodes].reverse().map((n) => [n.id, n])));
const bySource = once((edges: Edge[]) => groups(edges, (e) => e.source));
const byTarget = once((edges: Edge[]) => groups(edges, (e) => e.target));
const ofType = once((nodes: Node[]) => groups(nodes, (n) => n.type));

const NONE: never[] = [];

export const nodeOf = (doc: Workflow, id: string): Node | undefined => byId(doc.nodes).get(id);

export const edgesFrom = (edges: Edge[], id: string): Edge[] => bySource(edges).get(id) ?? NONE;

export const edgesInto = (edges: Edge[], id: string): Edge[] => byTarget(edges).get(id) ?? NONE;

export const countOf = (doc: Workflow, type: string): number =>
  ofType(doc.nodes).get(type)?.length ?? 0;
