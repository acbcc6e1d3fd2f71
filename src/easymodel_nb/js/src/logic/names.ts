/** What nodes are called, so that each can be told from the others in lists and sentences. */
import type { Node, Workflow } from "../protocol";
import { titleOf } from "./ports";

/** A node under its own name. */
export const nameOf = (node: Node): string => node.label ?? titleOf(node.type);

/** The node, numbered where another one is called the same: "Finetuning 2". Notes have no names. */
export function apart(doc: Workflow, node: Node): Node {
  const taken = new Set(doc.nodes.filter((n) => n.id !== node.id).map(nameOf));
  const name = nameOf(node);
  if (node.type === "note" || !taken.has(name)) return node;
  const stem = name.replace(/ \d+$/, "");
  let number = 2;
  while (taken.has(`${stem} ${number}`)) number++;
  return { ...node, label: `${stem} ${number}` };
}
