/** The connections of two documents made from one: each single input is a field of its own. */
import type { Edge, Node, Workflow } from "../protocol";
import { type Ask, decide } from "./clash";
import { KINDS, reaches } from "./ports";

const ends = (e: Edge) =>
  [e.source, e.sourceHandle ?? "", e.target, e.targetHandle ?? ""].join("\n");

/** Whether the document connects this node in a way that no base does. */
export function newEdgesAt(bases: Workflow[], doc: Workflow, id: string): boolean {
  const known = new Set(bases.flatMap((b) => b.edges.map(ends)));
  return doc.edges.some((e) => (e.source === id || e.target === id) && !known.has(ends(e)));
}

export function mergeEdges(
  bases: Workflow[],
  mine: Workflow,
  theirs: Workflow,
  nodes: Node[],
  ask: Ask,
): Edge[] {
  const kinds = new Map(nodes.map((n) => [n.id, n.type]));
  const slot = (e: Edge) => {
    const single = KINDS[kinds.get(e.target) ?? ""]?.inputs[e.targetHandle ?? ""]?.max === 1;
    return single ? [e.target, e.targetHandle].join("\n") : ends(e);
  };
  const slots = (doc: Workflow) => {
    const found = new Map<string, Edge[]>();
    const mark = new Set<string>();
    for (const e of doc.edges) {
      if (!kinds.has(e.source) || !kinds.has(e.target) || mark.has(ends(e))) continue;
      mark.add(ends(e));
      found.set(slot(e), [...(found.get(slot(e)) ?? []), e]);
    }
    return found;
  };
  const [before, left, right] = [bases.map(slots), slots(mine), slots(theirs)];
  const both: Edge[] = [];
  const single = { mine: [] as Edge[], theirs: [] as Edge[] };
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [m, t] = [left.get(key) ?? [], right.get(key) ?? []];
    const known = before.map((b) => b.get(key) ?? []);
    const side = decide(known, m, t, sameEnds) ?? askInput(m, t, ask);
    const chosen = side === "mine" ? m : t;
    (sameEnds(m, t) ? both : single[side]).push(...chosen);
  }
  return withoutCircles(both, single.mine, single.theirs, ask);
}

const sameEnds = (a: Edge[], b: Edge[]) =>
  a.length === b.length && a.every((e) => b.some((other) => ends(other) === ends(e)));

function askInput(mine: Edge[], theirs: Edge[], ask: Ask) {
  const [any] = [...mine, ...theirs];
  return ask({
    node: any?.target ?? null,
    field: any?.targetHandle ?? null,
    mine: mine.map((e) => e.source),
    theirs: theirs.map((e) => e.source),
  });
}

/** What one side connected may close a circle with what the other did: then one gives way. */
function withoutCircles(both: Edge[], mine: Edge[], theirs: Edge[], ask: Ask): Edge[] {
  const [all, refused] = addAll(both, [...mine, ...theirs]);
  const [e] = refused;
  if (!e) return all;
  const source = (list: Edge[]) => list.filter((o) => o.target === e.target).map((o) => o.source);
  const clash = {
    node: e.target,
    field: e.targetHandle,
    mine: source(mine),
    theirs: source(theirs),
  };
  return ask(clash) === "mine" ? all : addAll(both, [...theirs, ...mine])[0];
}

/** The edges with those added that close no circle, and those that would. */
function addAll(edges: Edge[], more: Edge[]): [Edge[], Edge[]] {
  const [all, refused] = [[...edges], [] as Edge[]];
  for (const e of more) (reaches(all, e.target, e.source) ? refused : all).push(e);
  return [all, refused];
}
