/** Which ports of a document a connection that begins at one of them can end at. */
import type { Workflow } from "../protocol";
import type { HandleEnd } from "./edits";
import { KINDS, type Link, refusal } from "./ports";

export const portKey = (end: HandleEnd) => `${end.node}/${end.side}/${end.handle}`;

/** The connection between two ports, whichever of them is the output. */
export function linkOf(a: HandleEnd, b: HandleEnd): Link {
  const [from, to] = a.side === "source" ? [a, b] : [b, a];
  return {
    source: from.node,
    sourceHandle: from.handle,
    target: to.node,
    targetHandle: to.handle,
  };
}

/** The ports of a node: inputs first. */
export function portsOf(doc: Workflow, id: string): HandleEnd[] {
  const kind = KINDS[doc.nodes.find((n) => n.id === id)?.type ?? ""];
  const ends = (side: HandleEnd["side"], ports: object | undefined) =>
    Object.keys(ports ?? {}).map((handle) => ({ node: id, handle, side }));
  return [...ends("target", kind?.inputs), ...ends("source", kind?.outputs)];
}

/** Every port that may be the other end; free inputs come before taken ones. */
export function portsThatFit(doc: Workflow, from: HandleEnd): HandleEnd[] {
  const other = from.side === "source" ? "target" : "source";
  const taken = (end: HandleEnd) =>
    doc.edges.some((e) => e.target === end.node && e.targetHandle === end.handle);
  return doc.nodes
    .flatMap((n) => portsOf(doc, n.id))
    .filter((end) => end.side === other && refusal(doc, linkOf(from, end)) === null)
    .map((end) => ({ end, last: Number(other === "target" && taken(end)) }))
    .sort((a, b) => a.last - b.last)
    .map(({ end }) => end);
}
