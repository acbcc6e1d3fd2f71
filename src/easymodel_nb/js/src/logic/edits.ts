/** Edits of several nodes at once: copied, pasted, moved, aligned. Like graph.ts, pure. */
import type { Edge, Node, Position, Workflow } from "../protocol";
import {
  addNode,
  connect,
  freshId,
  freshNodeId,
  makeNode,
  move,
  remove,
  setData,
  WIDTH,
} from "./graph";
import type { Size } from "./layout";
import { type Box, freeSpot, PLAIN, ROOM } from "./place";
import { type End, fitting, KINDS, refusal, replaced } from "./ports";

export { fitting };

const BESIDE = 24;
const HEIGHT = 120;

/** The nodes, the edges among them, and those that come into them from outside. */
export function copyOf(doc: Workflow, ids: Iterable<string>): Workflow {
  const wanted = new Set(ids);
  return structuredClone({
    format: doc.format,
    version: doc.version,
    name: doc.name,
    nodes: doc.nodes.filter((n) => wanted.has(n.id)),
    edges: doc.edges.filter((e) => wanted.has(e.target)),
    viewport: { x: 0, y: 0, zoom: 1 },
  });
}

/**
 * The nodes of a piece under fresh ids, its top-left corner at `at`; without a place,
 * beside where they were, and further with each paste. An edge from outside the piece is
 * made again where its node is in this document.
 */
export function paste(doc: Workflow, piece: Workflow, at: Position | null): [Workflow, string[]] {
  if (piece.nodes.length === 0) return [doc, []];
  const [dx, dy] = shift(doc, piece.nodes, at);
  const names = new Map(piece.nodes.map((n) => [n.id, freshNodeId(n.type)]));
  const nodes = piece.nodes.map((n) => ({
    ...structuredClone(n),
    id: names.get(n.id) as string,
    position: { x: Math.round(n.position.x + dx), y: Math.round(n.position.y + dy) },
  }));
  const among = (e: Edge) => names.has(e.source);
  const next = piece.edges
    .filter((e) => names.has(e.target))
    .sort((a, b) => Number(among(b)) - Number(among(a)))
    .map((e) => ({
      ...structuredClone(e),
      id: freshId("e"),
      source: names.get(e.source) ?? e.source,
      target: names.get(e.target) as string,
    }))
    .reduce(join, nodes.reduce(addNode, doc));
  return [next, nodes.map((n) => n.id)];
}

/** Adds an edge whose input is free; what unknown kinds of nodes take is not for us to judge. */
function join(doc: Workflow, edge: Edge): Workflow {
  const kinds = [edge.source, edge.target].map((id) => doc.nodes.find((n) => n.id === id)?.type);
  if (kinds.includes(undefined)) return doc;
  const known = kinds.every((kind) => KINDS[kind ?? ""]);
  const fits = known ? refusal(doc, edge) === null && replaced(doc, edge).length === 0 : true;
  return fits ? { ...doc, edges: [...doc.edges, edge] } : doc;
}

function shift(doc: Workflow, nodes: Node[], at: Position | null): [number, number] {
  const left = Math.min(...nodes.map((n) => n.position.x));
  const top = Math.min(...nodes.map((n) => n.position.y));
  if (at) return [at.x - left, at.y - top];
  const taken = new Set(doc.nodes.map((n) => `${n.position.x},${n.position.y}`));
  const covers = (by: number) =>
    nodes.some((n) =>
      taken.has(`${Math.round(n.position.x + by)},${Math.round(n.position.y + by)}`),
    );
  let by = BESIDE;
  while (covers(by)) by += BESIDE;
  return [by, by];
}

/** The nodes once more, where there is room below them. */
export function duplicateAll(
  doc: Workflow,
  ids: Iterable<string>,
  sizes: Map<string, Size> = new Map(),
): [Workflow, string[]] {
  const wanted = new Set(ids);
  const box = (n: Node): Box => ({ ...n.position, ...(sizes.get(n.id) ?? ROOM[n.type] ?? PLAIN) });
  const them = doc.nodes.filter((n) => wanted.has(n.id)).map(box);
  const [x, y] = [Math.min(...them.map((b) => b.x)), Math.min(...them.map((b) => b.y))];
  const width = Math.max(...them.map((b) => b.x + b.width)) - x;
  const height = Math.max(...them.map((b) => b.y + b.height)) - y;
  const below = { x, y: y + height + BESIDE };
  const spot = freeSpot(doc.nodes.map(box), { width, height }, below);
  return paste(doc, copyOf(doc, wanted), them.length > 0 ? spot : null);
}

export function nudge(doc: Workflow, ids: Iterable<string>, dx: number, dy: number): Workflow {
  const moved = new Set(ids);
  const to = doc.nodes
    .filter((n) => moved.has(n.id))
    .map((n) => [n.id, { x: n.position.x + dx, y: n.position.y + dy }] as const);
  return move(doc, new Map(to));
}

export type Alignment =
  | "left"
  | "center"
  | "right"
  | "top"
  | "middle"
  | "bottom"
  | "across"
  | "down";

/** Lines nodes up along one edge or middle; `across` and `down` make the gaps between them equal. */
export function align(
  doc: Workflow,
  ids: Iterable<string>,
  how: Alignment,
  sizes: Map<string, Size>,
): Workflow {
  const wanted = new Set(ids);
  const axis = how === "left" || how === "center" || how === "right" || how === "across";
  const side = axis ? "x" : "y";
  const spans = doc.nodes
    .filter((n) => wanted.has(n.id))
    .map((n) => {
      const { width, height } = sizes.get(n.id) ?? { width: WIDTH[n.type] ?? 232, height: HEIGHT };
      return { node: n, start: n.position[side], length: axis ? width : height };
    });
  const starts = how === "across" || how === "down" ? equalGaps(spans) : onOneLine(spans, how);
  return move(
    doc,
    new Map(
      spans.map(({ node }, i) => [node.id, { ...node.position, [side]: starts[i] as number }]),
    ),
  );
}

interface Span {
  start: number;
  length: number;
}

function onOneLine(spans: Span[], how: Alignment): number[] {
  const from = Math.min(...spans.map((s) => s.start));
  const to = Math.max(...spans.map((s) => s.start + s.length));
  return spans.map(({ length }) => {
    if (how === "left" || how === "top") return from;
    if (how === "right" || how === "bottom") return to - length;
    return (from + to - length) / 2;
  });
}

/** The outer two stay; between each two neighbours there is as much room. */
function equalGaps(spans: Span[]): number[] {
  const starts = spans.map((s) => s.start);
  const order = spans.map((_, i) => i).sort((a, b) => middle(spans[a]) - middle(spans[b]));
  const [first, last] = [spans[order[0] ?? -1], spans[order.at(-1) ?? -1]];
  if (!first || !last || spans.length < 3) return starts;
  const room = last.start + last.length - first.start;
  const gap = (room - spans.reduce((sum, s) => sum + s.length, 0)) / (spans.length - 1);
  let at = first.start;
  for (const i of order) {
    starts[i] = at;
    at += (spans[i]?.length ?? 0) + gap;
  }
  return starts;
}

const middle = (span: Span | undefined) => (span ? span.start + span.length / 2 : 0);

/** A handle that is there: an output when `side` is "source", else an input. */
export interface HandleEnd {
  node: string;
  handle: string;
  side: End["side"];
}

/** A new node, connected to a handle that is there; the id is "" when nothing fits. */
export function addFeeding(
  doc: Workflow,
  type: string,
  at: Position,
  link: HandleEnd,
): [Workflow, string] {
  const there = doc.nodes.find((n) => n.id === link.node);
  const fits = there && fitting({ type: there.type, handle: link.handle, side: link.side });
  const handle = fits?.find((f) => f.type === type)?.handle;
  if (handle === undefined) return [doc, ""];
  const node = makeNode(type, { x: Math.round(at.x), y: Math.round(at.y) });
  const [old, fresh] = [
    { id: link.node, handle: link.handle },
    { id: node.id, handle },
  ];
  const [source, target] = link.side === "source" ? [old, fresh] : [fresh, old];
  const next = connect(addNode(doc, node), {
    source: source.id,
    sourceHandle: source.handle,
    target: target.id,
    targetHandle: target.handle,
  });
  return [next, node.id];
}

export function addNote(doc: Workflow, at: Position, text = ""): [Workflow, string] {
  const node = makeNode("note", { x: Math.round(at.x), y: Math.round(at.y) }, { text });
  return [addNode(doc, node), node.id];
}

export const setNote = (doc: Workflow, id: string, text: string) => setData(doc, id, { text });

export const clear = (doc: Workflow) =>
  remove(doc, new Set(doc.nodes.map((n) => n.id)), new Set(doc.edges.map((e) => e.id)));
