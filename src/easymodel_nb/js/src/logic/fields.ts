/** Every field of a Finetuning node: its label, its kind, its group in the inspector. */
import type { FinetuneData, Node } from "../protocol";
import { fieldValue } from "./graph";
import type { RoleField } from "./roles";

export type Kind = "number" | "text" | "choice" | "column" | "switch" | "list" | "lines";
export interface Field {
  name: string;
  label: string;
  kind: Kind;
  unit?: string;
  /** null in the document means "choose for me" (or what `empty` says). */
  nullable?: boolean;
  empty?: string;
  choices?: [value: string, label: string][];
  help?: string;
  /** Shown only while this holds, on a machine with so many GPUs. */
  when?: (data: FinetuneData, gpus: number) => boolean;
}
export interface Group {
  title: string;
  fields: Field[];
}

export const TASKS: [string, string][] = [
  ["generation", "Generation"],
  ["classification", "Classification"],
  ["seq2seq", "Sequence to sequence"],
  ["token_classification", "Token classification"],
];
const METHODS: [string, string][] = [
  ["full", "Full fine-tuning"],
  ["lora", "LoRA"],
  ["qlora", "QLoRA"],
];
const column = (name: string, label: string, when?: Field["when"], empty?: string): Field => ({
  name,
  label,
  kind: "column",
  nullable: true,
  ...(empty && { empty }),
  ...(when && { when }),
});
/** The field of a role: a column, where "none" may be a choice. */
export const roleField = (role: RoleField): Field =>
  column(role.name, role.label, undefined, role.none ? "none" : undefined);
const number = (name: string, label: string, more: Partial<Field> = {}): Field => ({
  name,
  label,
  kind: "number",
  ...more,
});
const lora = (d: FinetuneData) => d.method === "lora" || d.method === "qlora";
const task =
  (...names: string[]) =>
  (d: FinetuneData) =>
    names.includes(d.task ?? "generation");

const TASK: Field = { name: "task", label: "Task", kind: "choice", choices: TASKS };
/** The fields that stand in the open node above the two columns. */
export const NODE_FIELDS: Field[] = [
  TASK,
  number("epochs", "Epochs"),
  number("batch_size", "Batch size", { unit: "rows" }),
  number("max_length", "Max length", { unit: "tokens" }),
  number("subset_size", "Subset size", { unit: "rows", nullable: true, empty: "all" }),
];

/** The other fields, folded away in the inspector. The column fields of the node join "Data". */
export const GROUPS: Group[] = [
  {
    title: "Data",
    fields: [
      column(
        "text_field",
        "Text field",
        task("generation", "classification", "token_classification"),
      ),
      column("text_pair_field", "Text pair field", task("classification"), "none"),
      column("prompt_field", "Prompt field", task("generation", "seq2seq")),
      column("target_field", "Target field", task("generation", "seq2seq")),
      column("label_field", "Label field", task("classification", "token_classification")),
      {
        name: "template",
        label: "Template",
        kind: "lines",
        nullable: true,
        empty: "none",
        help: "Builds the text from columns, for example: Question: {question}",
        when: task("generation", "seq2seq"),
      },
      column("messages_field", "Messages field", task("generation"), "none"),
      {
        name: "source_prefix",
        label: "Source prefix",
        kind: "text",
        nullable: true,
        help: "Put before each source, for example: summarize:",
        when: task("seq2seq"),
      },
      {
        name: "class_weights",
        label: "Class weights",
        kind: "switch",
        help: "Rare classes count as much as frequent ones.",
        when: task("classification", "token_classification"),
      },
      column("group_field", "Group field", undefined, "none"),
    ],
  },
  {
    title: "Method",
    fields: [
      { name: "method", label: "Method", kind: "choice", choices: METHODS },
      number("lora_rank", "LoRA rank", { when: lora }),
      number("lora_alpha", "LoRA alpha", {
        nullable: true,
        help: "auto: what suits the rank.",
        when: lora,
      }),
      number("lora_dropout", "LoRA dropout", { when: lora }),
      {
        name: "target_modules",
        label: "Target modules",
        kind: "list",
        nullable: true,
        help: "Names of the layers that get an adapter, parted by commas.",
        when: lora,
      },
    ],
  },
  {
    title: "Optimizer",
    fields: [
      number("learning_rate", "Learning rate", {
        nullable: true,
        help: "auto: what suits the method.",
      }),
      {
        name: "scheduler",
        label: "Scheduler",
        kind: "choice",
        choices: [
          ["linear", "Linear"],
          ["cosine", "Cosine"],
          ["constant", "Constant"],
          ["constant_with_warmup", "Constant with warm-up"],
        ],
      },
      number("warmup_ratio", "Warm-up", { unit: "of all steps" }),
      number("weight_decay", "Weight decay"),
      number("gradient_accumulation", "Accumulate", {
        unit: "batches",
        help: "So many batches make one step of the optimizer.",
      }),
      number("seed", "Seed"),
    ],
  },
  {
    title: "Memory",
    fields: [
      {
        name: "precision",
        label: "Precision",
        kind: "choice",
        choices: ["auto", "fp32", "bf16", "fp16"].map((p) => [p, p]),
        help: "In what a step multiplies. auto takes the fastest here; weights keep 32 bits.",
      },
      {
        name: "gradient_checkpointing",
        label: "Checkpointing",
        kind: "switch",
        nullable: true,
        help: "Gradient checkpointing: less memory for more time.",
      },
      number("processes", "GPUs", {
        help: "The rows of each batch are split over so many: the same result, sooner.",
        when: (d, gpus) => gpus > 1 || (d.processes ?? 1) !== 1,
      }),
    ],
  },
  {
    title: "When to stop",
    fields: [
      number("early_stopping", "Early stopping", {
        unit: "epochs",
        nullable: true,
        empty: "off",
        help: "Stops when validation has not improved for so many epochs.",
      }),
      number("time_budget_minutes", "Time budget", {
        unit: "min",
        nullable: true,
        empty: "none",
        help: "The run ends with a saved model before so many minutes are over.",
      }),
    ],
  },
  {
    title: "Evaluation and result",
    fields: [
      number("eval_size", "Evaluation rows", { unit: "rows" }),
      number("max_new_tokens", "New tokens", { unit: "tokens", nullable: true }),
      number("analytics_budget", "Analytics", { unit: "of run time" }),
      { name: "output_name", label: "Output name", kind: "text", nullable: true },
    ],
  },
];

/** How a field is called where people read it, also one of the data that has no place in the node. */
export function labelOf(name: string): string {
  const spec = [...NODE_FIELDS, ...GROUPS.flatMap((g) => g.fields)].find((f) => f.name === name);
  if (spec) return spec.label;
  if (name === "eval_split") return "Validation split"; // as in the panel of a dataset
  const words = name.replace(/^.*\./, "").replace(/_/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export const DATASET_FIELDS: Field[] = [
  { name: "config", label: "Configuration", kind: "text", nullable: true },
  { name: "revision", label: "Revision", kind: "text", nullable: true },
];
export const HELD_OUT = number("eval_fraction", "Held out", { unit: "of the rows" });
export const MODEL_FIELDS: Field[] = [
  { name: "revision", label: "Revision", kind: "text", nullable: true, empty: "main" },
];

/**
 * What a typed text means. A number that is none is kept as typed, so that the check
 * can say what is wrong with it, and nothing typed is lost.
 */
export function parse(field: Field, text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === "" && field.nullable) return null;
  if (field.kind === "number") {
    const plain = trimmed.replace(/(?<=\d),(?=\d{3}(\D|$))/g, "");
    const value = Number(plain);
    return plain !== "" && Number.isFinite(value) ? value : text;
  }
  if (field.kind === "list") return trimmed.split(/[\s,]+/).filter(Boolean);
  return field.kind === "lines" ? text : trimmed;
}

/** A value as the field's input shows it. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** The values a sweep lists for a field: "1e-5/5e-5". */
function listed(node: Node, name: string): string | null {
  const values = (node.data.sweep as Record<string, unknown> | null | undefined)?.[name];
  return Array.isArray(values) && values.length > 0
    ? values.map((v) => show(v) || "auto").join("/")
    : null;
}

/** "Generation, 3 epochs, batch 8, 1,000 rows, full": what the folded fields say. */
export function summary(node: Node): string {
  const get = (name: string) => listed(node, name) ?? fieldValue(node, name);
  const taskName = TASKS.find(([name]) => name === get("task"))?.[1] ?? show(get("task"));
  const epochs = get("epochs");
  const subset = get("subset_size");
  const rows = subset === null ? "all rows" : `${amount(subset)} rows`;
  return [
    taskName,
    `${show(epochs)} epoch${epochs === 1 ? "" : "s"}`,
    `batch ${show(get("batch_size"))}`,
    rows,
    methodName(get("method")),
  ].join(", ");
}

/** "full, lr auto, seed 42": what the Advanced line says. */
export function advanced(node: Node): string {
  const told = (name: string) => listed(node, name) ?? (show(fieldValue(node, name)) || "auto");
  return `${methodName(told("method"))}, lr ${told("learning_rate")}, seed ${told("seed")}`;
}

/** As it is written: "full", "LoRA". */
const methodName = (value: unknown): string =>
  show(value)
    .replace(/lora\b/g, "LoRA")
    .replace("qL", "QL");

const amount = (value: unknown) =>
  typeof value === "number" ? value.toLocaleString("en-US") : show(value);
