/** A run that was, beside the node of now: every setting with its reason, and back to it. */
import type { Node, Workflow } from "../protocol";
import { DEFAULTS } from "../protocol";
import { type Field, GROUPS, labelOf, NODE_FIELDS } from "./fields";
import { inputOf, same, setData } from "./graph";
import { one } from "./sweep";

/** What a run was asked, and what became of it: `run_details` of the kernel. */
export interface RunRecord {
  request: Record<string, unknown>;
  plan: Record<string, unknown> | null;
}

export interface Row {
  name: string;
  label: string;
  value: string;
  /** Why it was chosen, where the user left it open. */
  reason: string;
  /** What the node holds now, where that is something else. */
  now: string | null;
}

type Data = Record<string, unknown>;
const SPECS = [...NODE_FIELDS, ...GROUPS.flatMap((g) => g.fields)];
/** As in the inspector, then what has no field there. */
const NAMES = [...new Set([...SPECS.map((f) => f.name), ...Object.keys(DEFAULTS.finetune ?? {})])];
/** Of the node, not of the training. */
const ASIDE = new Set(["accept", "sweep", "output_name"]);

const part = (whole: unknown, name: string): Data => {
  const found = (whole as Data | null | undefined)?.[name];
  return typeof found === "object" && found !== null ? (found as Data) : {};
};

/** What a run was drawn with; absent fields have their defaults. */
const drawnOf = (record: RunRecord): Data => ({
  ...DEFAULTS.finetune,
  ...part(part(record.request, "node"), "data"),
});

const text = (value: unknown): string => {
  if (Array.isArray(value)) return value.map(one).join(", ");
  return typeof value === "object" && value !== null ? JSON.stringify(value) : one(value);
};

/** Every setting of a run with its reason, those that differ from the node first. */
export function settings(record: RunRecord, node: Node): Row[] {
  const drawn = drawnOf(record);
  const now: Data = { ...DEFAULTS.finetune, ...node.data };
  const planned = { ...drawn, ...part(record.plan, "finetune") };
  const reasons = reasonsOf(record.plan);
  const applies = (f: Field) => !f.when || f.when(planned as Parameters<typeof f.when>[0], 1);
  const rows = NAMES.filter((name) => !ASIDE.has(name)).flatMap((name): Row[] => {
    const spec = SPECS.find((f) => f.name === name);
    const differs = !same(drawn[name], now[name]) || name in part(now, "sweep");
    if (!differs && spec && !applies(spec)) return [];
    return [
      {
        name,
        label: labelOf(name),
        value: none(name, planned[name] ?? null, spec, record.plan !== null),
        reason: reasons.get(name) ?? "",
        now: differs ? text(part(now, "sweep")[name] ?? now[name]) : null,
      },
    ];
  });
  return [...rows.filter((r) => r.now !== null), ...rows.filter((r) => r.now === null)];
}

/** What an empty field came to: a column that is not there, or what stands for nothing. */
function none(name: string, value: unknown, spec: Field | undefined, planned: boolean): string {
  if (value !== null) return text(value) + unit(name);
  if (spec?.kind === "column") return planned ? "none" : "auto";
  return spec?.empty ?? text(null);
}

const unit = (name: string) => (name === "time_budget_minutes" ? " min" : "");

function reasonsOf(plan: Data | null): Map<string, string> {
  const made = Array.isArray(plan?.choices) ? (plan.choices as Data[]) : [];
  return new Map(made.map((c) => [String(c.field), String(c.reason ?? "")]));
}

/** The model, the data and the machine of a run: what its plan says beside the fields. */
export function surroundings(record: RunRecord, node: Node, doc: Workflow): Row[] {
  const { plan, request } = record;
  const [model, data] = [part(plan, "model"), part(plan, "dataset")];
  const source = (kind: "model" | "dataset"): Row | null => {
    const asked = part(request, kind);
    const value = String(part(asked, "data").source ?? part(plan, kind).name ?? "");
    const input = inputOf(doc, node.id, kind);
    const here = input?.type === "finetune" ? "result of another node" : input?.data.source;
    const chained = "run_of" in asked;
    const differs = chained ? input?.id !== asked.run_of : !same(value, here ?? "");
    const shown = chained ? `run ${String(asked.run)}` : value;
    return {
      name: kind,
      label: kind === "model" ? "Model" : "Dataset",
      value: shown,
      reason: "",
      now: differs ? String(here || "none") : null,
    };
  };
  const told = (label: string, value: unknown, reason = ""): Row | null =>
    value === null || value === undefined || value === ""
      ? null
      : { name: label, label, value: text(value), reason, now: null };
  const others = [...reasonsOf(plan)].filter(([name]) => !(name in (DEFAULTS.finetune ?? {})));
  const made = Array.isArray(plan?.choices) ? (plan.choices as Data[]) : [];
  return [
    source("model"),
    told("Revision", model.revision),
    source("dataset"),
    told("Rows", plan && `${data.train_rows} trained, ${data.eval_rows} measured`),
    told("Steps", plan?.max_steps),
    ...others.map(([name, reason]) =>
      told(labelOf(name), made.find((c) => c.field === name)?.value, reason),
    ),
    told("Device", plan?.device),
  ].filter((row) => row !== null);
}

/**
 * The document with the settings a run was drawn with: its node's, and its sources' where they
 * feed no other node. What is connected stays.
 */
export function restored(doc: Workflow, id: string, record: RunRecord): Workflow {
  const drawn = { ...drawnOf(record), sweep: {} };
  const node = doc.nodes.find((n) => n.id === id);
  if (!node) return doc;
  const known = { ...DEFAULTS.finetune, ...node.data };
  const changed = Object.entries(drawn).filter(
    ([name, value]) => !same(value, (known as Data)[name]),
  );
  const next = changed.length > 0 ? setData(doc, id, Object.fromEntries(changed)) : doc;
  return (["model", "dataset"] as const).reduce((d, kind) => {
    const asked = part(record.request, kind);
    const input = inputOf(d, id, kind);
    const alone = d.edges.filter((e) => e.source === input?.id).length === 1;
    if (!input || input.id !== asked.id || !alone || same(input.data, asked.data)) return d;
    return setData(d, input.id, part(asked, "data"));
  }, next);
}
