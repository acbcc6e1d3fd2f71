/** What may connect to what: the table of workflow/ports.json, which Python reads too. */
import table from "../../../workflow/ports.json";
import type { Edge, Workflow } from "../protocol";

interface Port {
  type: string;
  required?: boolean;
  max?: number;
}
interface NodeKind {
  title: string;
  inputs: Record<string, Port>;
  outputs: Record<string, Port>;
}
export interface Link {
  source: string;
  sourceHandle: string | null;
  target: string;
  targetHandle: string | null;
}

export const KINDS = table.nodes as Record<string, NodeKind>;

export function titleOf(type: string): string {
  return KINDS[type]?.title ?? type;
}

/** Why this connection cannot be made, or null when it can. */
export function refusal(doc: Workflow, link: Link): string | null {
  const source = doc.nodes.find((n) => n.id === link.source);
  const target = doc.nodes.find((n) => n.id === link.target);
  if (!source || !target) return "A connection needs two nodes.";
  const out = KINDS[source.type]?.outputs[link.sourceHandle ?? ""];
  const into = KINDS[target.type]?.inputs[link.targetHandle ?? ""];
  if (!out || !into) return "A connection goes from an output to an input.";
  if (out.type !== into.type) return `This input takes a ${into.type}, not a ${out.type}.`;
  const taken = doc.edges.filter(
    (e) => e.target === link.target && e.targetHandle === link.targetHandle,
  );
  if (into.max !== undefined && taken.length >= into.max) {
    return `This input already has its ${into.type}: remove that connection first.`;
  }
  if (reaches(doc.edges, link.target, link.source)) {
    return "A node cannot train on its own result.";
  }
  return null;
}

/** Whether following edges from `from` arrives at `to`. */
export function reaches(edges: Edge[], from: string, to: string): boolean {
  const seen = new Set<string>();
  const frontier = [from];
  for (let id = frontier.pop(); id !== undefined; id = frontier.pop()) {
    if (id === to) return true;
    if (seen.has(id)) continue;
    seen.add(id);
    frontier.push(...edges.filter((e) => e.source === id).map((e) => e.target));
  }
  return false;
}
