/** From the document's nodes to React Flow's, keeping what this view knows of each. */
import type { Node as FlowNode } from "@xyflow/react";
import { KINDS, titleOf } from "../logic/ports";
import { latest } from "../logic/runs";
import type { Node, Workflow } from "../protocol";
import type { State } from "../state/store";

/** "f1=running;f2=idle": one string, so that only a change of a status renders the canvas. */
export function statusList(s: State): string {
  const runs = s.traits.runs.items;
  return s.history.present.nodes
    .filter((n) => n.type === "finetune")
    .map((n) => `${n.id}=${latest(runs, n.id)?.status ?? "idle"}`)
    .join(";");
}

/** "e1<tab>Connection of Model to Finetuning": for screen readers, a line an edge. */
export function edgeNames(s: State): string {
  const doc = s.history.present;
  const known = named.get(doc) ?? namesOf(doc);
  named.set(doc, known);
  return known;
}

/** Asked at each change of the state, most of which are none of the document. */
const named = new WeakMap<Workflow, string>();

function namesOf({ nodes, edges }: Workflow): string {
  const names = new Map(nodes.map((n) => [n.id, n.label ?? titleOf(n.type)]));
  const name = (id: string) => names.get(id)?.replace(/\s+/g, " ") ?? "a node";
  return edges
    .map((e) => `${e.id}\tConnection of ${name(e.source)} to ${name(e.target)}, ${e.targetHandle}`)
    .join("\n");
}

const EMPTY = {};

/** `opened`: another document was opened, so that nothing in it was just added. */
export function mergeNodes(
  before: FlowNode[],
  nodes: Node[],
  statuses: string,
  opened: boolean,
): FlowNode[] {
  const known = new Map(before.map((n) => [n.id, n]));
  const status = new Map(statuses.split(";").map((s) => s.split("=") as [string, string]));
  const fresh = !opened && nodes.some((n) => !known.has(n.id));
  return nodes.map((node) => {
    const old = known.get(node.id);
    const now = status.get(node.id) ?? "idle";
    const name = node.label ?? titleOf(node.type);
    const position = old?.dragging ? old.position : node.position;
    // A node that was just added is the one to go on with.
    const selected = fresh ? !old : (old?.selected ?? false);
    const attributes = (old?.domAttributes ?? EMPTY) as Record<string, unknown>;
    const unchanged =
      old &&
      old.position.x === position.x &&
      old.position.y === position.y &&
      old.selected === selected &&
      old.ariaLabel === name &&
      attributes["data-status"] === now;
    if (unchanged) return old;
    return {
      ...old,
      id: node.id,
      type: node.type in KINDS ? node.type : "unknown",
      position,
      selected,
      data: old?.data ?? {},
      ariaLabel: name,
      // On React Flow's own element, which takes the focus and the keys.
      domAttributes: {
        "data-testid": "node",
        "data-node-id": node.id,
        "data-node-type": node.type,
        "data-status": now,
      } as FlowNode["domAttributes"],
    };
  });
}
