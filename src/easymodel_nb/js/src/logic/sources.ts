/** What can be chosen as a source: what comes with the package, what the notebook holds. */
import type { Catalog, Node, SourceOption, Variable, Workflow } from "../protocol";
import { TASKS } from "./fields";
import { count } from "./format";
import { fieldValue } from "./graph";
import { edgesFrom } from "./lookup";

interface Option {
  value: string;
  title: string;
  detail?: string;
  group?: string;
  found?: boolean;
}

/** The Finetuning node that a source feeds, the first of them. */
export function nodeFed(doc: Workflow, id: string): Node | null {
  const targets = edgesFrom(doc.edges, id).map((e) => e.target);
  if (targets.length === 0) return null;
  return doc.nodes.find((n) => n.type === "finetune" && targets.includes(n.id)) ?? null;
}

/** The task of that node. */
export function taskFed(doc: Workflow, id: string): string | null {
  const node = nodeFed(doc, id);
  const task = node && fieldValue(node, "task");
  return typeof task === "string" ? task : null;
}

export function sourceOptions(
  kind: "model" | "dataset",
  catalog: Pick<Catalog, "models" | "datasets" | "variables">,
  task: string | null,
  suggested: SourceOption[] = [],
): Option[] {
  const variables = kind === "dataset" ? catalog.variables.map(variable) : [];
  const groups: [string, Option[]][] = [
    ["In this notebook", variables],
    ["Built in", byTask(kind === "model" ? catalog.models : catalog.datasets, task)],
    ...ORIGINS.map(([origin, title]): [string, Option[]] => [
      title,
      byTask(
        suggested.filter((o) => o.origin === origin),
        task,
      ).map((o) => ({ ...o, found: true })),
    ]),
  ];
  const filled = groups.filter(([, options]) => options.length > 0);
  if (filled.length === 1 && filled[0]?.[0] === "Built in") return filled[0][1];
  return filled.flatMap(([group, options]) => options.map((o) => ({ ...o, group })));
}

const ORIGINS: [SourceOption["origin"], string][] = [
  ["folder", "Files and folders"],
  ["cache", "Downloaded before"],
  ["hub", "On the Hub"],
];

/** What is made for the task first; of the others is said what they are made for. */
function byTask(options: SourceOption[], task: string | null): Option[] {
  const fits = (o: SourceOption) => !task || o.tasks.length === 0 || o.tasks.includes(task);
  const name = (id: string) => (TASKS.find(([t]) => t === id)?.[1] ?? id).toLowerCase();
  return [...options.filter(fits), ...options.filter((o) => !fits(o))].map((o) => ({
    value: o.source,
    title: o.title,
    detail: fits(o) ? o.detail : `${o.detail}; for ${(o.tasks ?? []).map(name).join(", ")}`,
  }));
}

const SHOWN = 4;

function variable(v: Variable): Option {
  const columns = v.columns.slice(0, SHOWN).join(", ") + (v.columns.length > SHOWN ? " …" : "");
  const rows = v.rows === null ? "" : `, ${count(v.rows)} rows`;
  return {
    value: `variable:${v.name}`,
    title: v.name,
    detail: `${v.kind}${rows}${columns && `: ${columns}`}`,
  };
}
