/** A list of values in a field makes a run of each: typed, counted, laid out as nodes. */
import type { Edge, Node, Workflow } from "../protocol";
import { DEFAULTS } from "../protocol";
import { type Field, parse } from "./fields";
import { freshId } from "./graph";
import { titleOf } from "./ports";

export type Sweep = Record<string, unknown[]>;
/** Fields of which there is one for all runs of a node; the same as in workflow/sweeps.py. */
const NOT_SWEPT = new Set(["task", "sweep", "accept", "output_name", "processes"]);
export const MOST = 64;

export const isSwept = (node: Node, field: string): boolean => field in sweepOf(node);
export const canSweep = (field: string): boolean =>
  field in (DEFAULTS.finetune ?? {}) && !NOT_SWEPT.has(field);

export function sweepOf(node: Node): Sweep {
  const sweep = node.data.sweep;
  if (typeof sweep !== "object" || sweep === null || Array.isArray(sweep)) return {};
  const lists = Object.entries(sweep).filter(([, v]) => Array.isArray(v) && v.length > 0);
  return Object.fromEntries(lists) as Sweep;
}

export const runsOf = (sweep: Sweep): number =>
  Object.values(sweep).reduce((all, values) => all * values.length, 1);

/** "2 runs", "2 x 3 = 6 runs". */
export function made(sweep: Sweep): string {
  const lists = Object.values(sweep)
    .map((values) => values.length)
    .filter((length) => length > 1);
  const runs = runsOf(sweep);
  const said = `${runs.toLocaleString("en-US")} run${runs === 1 ? "" : "s"}`;
  return lists.length > 1 ? `${lists.join(" x ")} = ${said}` : said;
}

/** The values of a typed list; null where the text is one value. Numbers alone are typed so. */
export function listed(field: Field, text: string): unknown[] | null {
  if (field.kind !== "number" || !canSweep(field.name)) return null;
  if (/^\s*\d+,\d+\s*$/.test(text)) return null; // "1,024", or half of the world's "1,5"
  const values = items(field, text);
  return values.length > 1 && values.some((v) => typeof v === "number") ? values : null;
}

/** The values between the commas; what is no number stays as typed, for the check to name it. */
export function items(field: Field, text: string): unknown[] {
  const plain = text.replace(/(?<=\d),(?=\d{3}(\D|$))/g, "");
  return plain
    .split(/[,;]/)
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => (field.nullable && part === "auto" ? null : parse(field, part)));
}

export const shown = (values: unknown[]): string => values.map(one).join(", ");

/** One value as it is written everywhere. */
export const one = (value: unknown): string => {
  if (value === null || value === undefined) return "auto";
  if (typeof value === "boolean") return value ? "on" : "off";
  return Array.isArray(value) ? value.join("+") : number(value);
};

/** As Python writes it, so that a run has the same name wherever it is told: 1e-05. */
const number = (value: unknown): string => {
  const text =
    typeof value === "number" && value !== 0 && Math.abs(value) < 1e-4
      ? value.toExponential()
      : String(value);
  return text.replace(/e([+-])(\d)$/, "e$10$2");
};

/** The name of a run: "learning_rate 1e-05, seed 7". */
export const named = (values: Record<string, unknown>): string =>
  Object.entries(values)
    .map(([field, value]) => `${field} ${one(value)}`)
    .join(", ");

/** The sweep with other values for a field; without values the field is swept no more. */
export function withValues(node: Node, field: string, values: unknown[]): Sweep {
  const { [field]: _, ...rest } = sweepOf(node);
  return values.length === 0 ? rest : { ...sweepOf(node), [field]: values };
}

/** Every combination, the last field's values changing first. */
export function combinations(sweep: Sweep): Record<string, unknown>[] {
  return Object.entries(sweep).reduce<Record<string, unknown>[]>(
    (all, [field, values]) => all.flatMap((c) => values.map((value) => ({ ...c, [field]: value }))),
    [{}],
  );
}

const COLUMN = 368;
const ROW = 264; // a closed node with a run under way

/**
 * A node for each run of a sweep, below each other, named by its values and fed by the same
 * sources. The first stays the node it was, so that its runs and what it feeds stay with it.
 */
export function layOut(doc: Workflow, id: string): [Workflow, string[]] {
  const node = doc.nodes.find((n) => n.id === id);
  const runs = node ? combinations(sweepOf(node)) : [];
  if (!node || runs.length < 2 || runs.length > MOST) return [doc, []];
  const title = node.label ?? titleOf(node.type);
  const inputs = doc.edges.filter((e) => e.target === id);
  const others = doc.nodes.filter((n) => n.id !== id);
  const spots = places(node, runs.length, others);
  const nodes: Node[] = runs.map((values, i) => ({
    ...node,
    id: i === 0 ? id : freshId("f"),
    label: `${title} · ${named(values)}`,
    position: spots[i] ?? node.position,
    data: { ...structuredClone(node.data), ...values, sweep: {} },
  }));
  const edges: Edge[] = nodes
    .slice(1)
    .flatMap((n) => inputs.map((e) => ({ ...e, id: freshId("e"), target: n.id })));
  const [first] = nodes as [Node, ...Node[]];
  const kept = doc.nodes.map((n) => (n.id === id ? first : n));
  return [
    { ...doc, nodes: [...kept, ...nodes.slice(1)], edges: [...doc.edges, ...edges] },
    nodes.map((n) => n.id),
  ];
}

/** One below the other from where the node is, so that no edge runs behind a node. */
function places(node: Node, count: number, others: Node[]): { x: number; y: number }[] {
  const { x, y } = node.position;
  const free = (spot: number) =>
    others.every(({ position: p }) => Math.abs(p.x - x) >= COLUMN || Math.abs(p.y - spot) >= ROW);
  const spots = [{ x, y }];
  for (let spot = y + ROW; spots.length < count; spot += ROW)
    if (free(spot)) spots.push({ x, y: spot });
  return spots;
}
