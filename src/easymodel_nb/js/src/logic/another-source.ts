/**
 * Another source of a model or of data: what was chosen of the former one (a configuration, a
 * revision, splits, how its file is read) means nothing for it and goes with it, in one step.
 */
import type { Node, Workflow } from "../protocol";

const PARTS: Record<string, readonly string[]> = {
  model: ["revision"],
  dataset: ["config", "revision", "train_split", "eval_split", "format"],
};
/** Begins what stands for a file of the machine a project comes from: it is to be chosen again. */
const PLACEHOLDER = "choose:";

const named = (source: unknown) => String(source ?? "").trim();

/**
 * The node with that source. `first` is the node before the first letter was typed: a name
 * that is typed and taken back is no other source.
 */
export function setSource(
  doc: Workflow,
  id: string,
  source: string,
  first?: Node | undefined,
): Workflow {
  const node = doc.nodes.find((n) => n.id === id);
  if (!node || node.data.source === source) return doc;
  const { data: before } = first ?? node;
  const former = named(before.source);
  const keeps = former === named(source) || former === "" || former.startsWith(PLACEHOLDER);
  const data: Node["data"] = { ...node.data, source };
  for (const part of PARTS[node.type] ?? []) {
    if (keeps && part in before) data[part] = before[part];
    else if (!keeps) delete data[part];
  }
  return { ...doc, nodes: doc.nodes.map((n) => (n === node ? { ...n, data } : n)) };
}
