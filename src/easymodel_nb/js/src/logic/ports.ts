/** What may connect to what: the table of workflow/ports.json, which Python reads too. */
import table from "../../../workflow/ports.json";
import type { Edge, Workflow } from "../protocol";
import { nodeOf } from "./lookup";
import { groups } from "./once";

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

/**
 * Why this connection cannot be made, or null when it can. A taken input is no reason:
 * connecting it replaces what was there.
 */
export function refusal(doc: Workflow, link: Link): string | null {
  const source = nodeOf(doc, link.source);
  const target = nodeOf(doc, link.target);
  if (!source || !target) return "A connection needs two nodes.";
  const out = KINDS[source.type]?.outputs[link.sourceHandle ?? ""];
  const into = KINDS[target.type]?.inputs[link.targetHandle ?? ""];
  if (!out || !into) return "A connection goes from an output to an input.";
  if (out.type !== into.type) return `This input takes a ${into.type}, not a ${out.type}.`;
  if (reaches(doc.edges, link.target, link.source)) {
    return "A node cannot train on its own result.";
  }
  return null;
}

/** The edges that this connection takes the place of. */
export function replaced(doc: Workflow, link: Link): Edge[] {
  const target = doc.nodes.find((n) => n.id === link.target);
  const into = target && KINDS[target.type]?.inputs[link.targetHandle ?? ""];
  const { max } = into ?? {};
  if (max === undefined) return [];
  const taken = doc.edges.filter(
    (e) => e.target === link.target && e.targetHandle === link.targetHandle,
  );
  return taken.slice(0, Math.max(0, taken.length + 1 - max));
}

/** One end of a connection: a handle of a node of some type, an output or an input. */
export interface End {
  type: string;
  handle: string;
  side: "source" | "target";
}

/** Every kind of node with a handle that fits the other end of this one. */
export function fitting({ type, handle, side }: End): { type: string; handle: string }[] {
  const kind = KINDS[type];
  const port = side === "source" ? kind?.outputs[handle] : kind?.inputs[handle];
  if (!port) return [];
  return Object.entries(KINDS).flatMap(([other, { inputs, outputs }]) =>
    Object.entries(side === "source" ? inputs : outputs)
      .filter(([, p]) => p.type === port.type)
      .map(([name]) => ({ type: other, handle: name })),
  );
}

/** Whether following edges from `from` arrives at `to`. */
export const reaches = (edges: Edge[], from: string, to: string): boolean =>
  reached(edges, [from]).has(to);

/** All nodes that following edges from these arrives at, themselves included. */
export function reached(edges: Edge[], from: string[]): Set<string> {
  const out = groups(edges, (e) => e.source);
  const seen = new Set<string>();
  const frontier = [...from];
  for (let id = frontier.pop(); id !== undefined; id = frontier.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    frontier.push(...(out.get(id) ?? []).map((e) => e.target));
  }
  return seen;
}
