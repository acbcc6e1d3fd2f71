/**
 * Two documents made from one: what each side changed, joined.
 *
 * `bases` holds the common ancestor first, and after it what this side sent since and never
 * heard of: where theirs has a value of those, it is our own. Different nodes and different
 * fields are joined without a word; where both sides changed one field, or one deleted what
 * the other edited, it is a clash, and `choose` says whose is taken.
 */
import type { Node, Workflow } from "../protocol";
import { type Ask, type Choice, type Clash, DELETED, decide, EDITED } from "./clash";
import { same } from "./graph";
import { mergeEdges, newEdgesAt } from "./merge-edges";

export interface Merged {
  document: Workflow;
  clashes: Clash[];
}
export type Choose = (clash: Clash) => Choice;

type Loose = Record<string, unknown>;
/** The store gives a document its project's name, and where one looks is nobody's edit. */
const ASIDE = new Set(["nodes", "edges", "viewport", "name", "format", "version"]);

/** Whether two documents say the same work, whatever their name and where one looks at them. */
export function sameWork(a: Workflow, b: Workflow): boolean {
  const { name: _a, viewport: _x, ...left } = a;
  const { name: _b, viewport: _y, ...right } = b;
  return same(left, right);
}

export function merge(
  bases: Workflow[],
  mine: Workflow,
  theirs: Workflow,
  choose: Choose = () => "mine",
): Merged {
  const clashes: Clash[] = [];
  const ask: Ask = (clash) => {
    clashes.push(clash);
    return choose(clash);
  };
  const [left, right] = keepEdited(bases, mine, theirs, ask);
  const there = new Map(right.nodes.map((n) => [n.id, n]));
  const here = new Map(left.nodes.map((n) => [n.id, n]));
  const known = bases.map((b) => new Map(b.nodes.map((n) => [n.id, n])));
  const anywhere = (id: string) => known.some((nodes) => nodes.has(id));
  const everywhere = (id: string) => known.every((nodes) => nodes.has(id));
  const joined: Node[] = left.nodes.flatMap((node) => {
    const other = there.get(node.id);
    if (!other) return everywhere(node.id) ? [] : [node];
    const before = known.map((nodes) => nodes.get(node.id) ?? {});
    return [mergeNode(node.id, before, node, other, ask)];
  });
  const added = right.nodes.filter((n) => !here.has(n.id) && !anywhere(n.id));
  const nodes = [...joined, ...added];
  const rest = mergeFields(
    { node: null, path: [] },
    bases.map(outer),
    outer(left),
    outer(right),
    ask,
  );
  const document: Workflow = {
    ...rest,
    format: mine.format,
    version: mine.version,
    name: theirs.name,
    nodes,
    edges: mergeEdges(bases, left, right, nodes, ask),
    viewport: mine.viewport,
  };
  return { document, clashes };
}

const outer = (doc: Workflow): Loose =>
  Object.fromEntries(Object.entries(doc).filter(([key]) => !ASIDE.has(key)));

/** Both sides with the nodes that one deleted, the other edited, and that are to be kept. */
function keepEdited(
  bases: Workflow[],
  mine: Workflow,
  theirs: Workflow,
  ask: Ask,
): [Workflow, Workflow] {
  const find = (doc: Workflow, id: string) => doc.nodes.find((n) => n.id === id);
  const before = (id: string) => bases.flatMap((b) => find(b, id) ?? []);
  const [lost, gone] = [missing(bases, theirs, mine), missing(bases, mine, theirs)];
  let [left, right] = [mine, theirs];
  for (const node of lost) {
    // Where a base is without it too, that was ours, or never arrived.
    if (!bases.every((b) => find(b, node.id))) continue;
    // Theirs deleted it. What we sent but never heard of counts as our edit too.
    const edited = before(node.id).some((b) => !same(b, node)) || newEdgesAt(bases, mine, node.id);
    if (!edited) continue;
    const clash = { node: node.id, field: null, mine: EDITED, theirs: DELETED };
    if (ask(clash) === "mine") right = withNode(right, node, mine);
  }
  for (const node of gone) {
    const edited =
      before(node.id).every((b) => !same(b, node)) || newEdgesAt(bases, theirs, node.id);
    if (!edited) continue;
    const clash = { node: node.id, field: null, mine: DELETED, theirs: EDITED };
    if (ask(clash) === "theirs") left = withNode(left, node, theirs);
  }
  return [left, right];
}

/** The nodes of `there` that `here` deleted: they were known, and are not there any more. */
function missing(bases: Workflow[], here: Workflow, there: Workflow): Node[] {
  const known = new Set(bases.flatMap((b) => b.nodes.map((n) => n.id)));
  const left = new Set(here.nodes.map((n) => n.id));
  return there.nodes.filter((n) => known.has(n.id) && !left.has(n.id));
}

/** The document as if it had not deleted the node: with it, and with its edges of the other one. */
function withNode(doc: Workflow, node: Node, other: Workflow): Workflow {
  const nodes = [...doc.nodes, node];
  const there = new Set(nodes.map((n) => n.id));
  const taken = new Set(doc.edges.map((e) => `${e.target}/${e.targetHandle}`));
  const back = other.edges.filter(
    (e) =>
      (e.source === node.id || e.target === node.id) &&
      there.has(e.source) &&
      there.has(e.target) &&
      !taken.has(`${e.target}/${e.targetHandle}`),
  );
  return { ...doc, nodes, edges: [...doc.edges, ...back] };
}

function mergeNode(id: string, before: Loose[], mine: Node, theirs: Node, ask: Ask): Node {
  if (same(mine, theirs)) return mine;
  return mergeFields({ node: id, path: [] }, before, mine, theirs, ask) as Node;
}

interface Where {
  node: string | null;
  path: string[];
}

function mergeFields(at: Where, bases: Loose[], mine: Loose, theirs: Loose, ask: Ask): Loose {
  const merged: Loose = {};
  for (const key of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
    const where = { node: at.node, path: [...at.path, key] };
    const before = bases.map((b) => b[key]);
    const value = mergeValue(where, before, mine[key], theirs[key], ask);
    if (value !== undefined) merged[key] = value;
  }
  return merged;
}

/** A place is one thing: half of it from each side would be a third. */
const WHOLE = new Set(["position"]);

function mergeValue(
  at: Where,
  bases: unknown[],
  mine: unknown,
  theirs: unknown,
  ask: Ask,
): unknown {
  const side = decide(bases, mine, theirs, same);
  if (side !== null) return side === "mine" ? mine : theirs;
  if (
    isRecord(mine) &&
    isRecord(theirs) &&
    !(at.path.length === 1 && WHOLE.has(at.path[0] ?? ""))
  ) {
    return mergeFields(
      at,
      bases.map((b) => (isRecord(b) ? b : {})),
      mine,
      theirs,
      ask,
    );
  }
  const path = at.path[0] === "data" ? at.path.slice(1) : at.path;
  const clash = { node: at.node, field: path.join("."), mine, theirs };
  return ask(clash) === "mine" ? mine : theirs;
}

const isRecord = (value: unknown): value is Loose =>
  typeof value === "object" && value !== null && !Array.isArray(value);
