/**
 * Which columns play which role: the two column fields of a Finetuning node, and what
 * setting one of them means for the others.
 *
 * Generation learns a text, or a target after a prompt, or a template, or chats. The
 * first column of the node is therefore the document's text_field or its prompt_field,
 * and moves between them in one step when the target is set or cleared.
 */
import type { Node, SourceFacts } from "../protocol";
import { fieldValue } from "./graph";

export type Roles = Record<string, string>;
export interface RoleField {
  name: string;
  label: string;
  /** The column that null would choose, if one is known. */
  auto: string | null;
  /** null means that there is none, not "choose for me". */
  none?: boolean;
}

/** The labels of the role fields, by task; what is not named here plays no part in it. */
export const ROLE_LABELS: Record<string, Record<string, string>> = {
  generation: {
    text_field: "Text field",
    prompt_field: "Prompt field",
    target_field: "Target field",
    template: "Template",
    messages_field: "Messages field",
  },
  classification: {
    text_field: "Text field",
    text_pair_field: "Text pair field",
    label_field: "Label field",
  },
  seq2seq: {
    prompt_field: "Source field",
    target_field: "Target field",
    template: "Template",
    source_prefix: "Source prefix",
  },
  token_classification: { text_field: "Words field", label_field: "Tags field" },
};

const text = (node: Node, name: string): string | null => {
  const value = fieldValue(node, name);
  return typeof value === "string" && value !== "" ? value : null;
};

const taskOf = (node: Node): string => {
  const task = fieldValue(node, "task");
  return typeof task === "string" && task in ROLE_LABELS ? task : "generation";
};

export function roleLabel(node: Node, name: string): string | null {
  return ROLE_LABELS[taskOf(node)]?.[name] ?? null;
}

const SLOT = /\{([^{}]+)\}/g;
/** The value paths of a template; one that may be empty ends in a question mark. */
const slots = (template: string): string[] =>
  [...template.matchAll(SLOT)].map(([, path]) => (path as string).replace(/\?$/, ""));

/** What null means for a field: a column, or the columns of a template that takes its place. */
export function auto(node: Node, name: string, roles: Roles): string | null {
  if (unused(node, name, roles)) return null;
  if (roles[name]) return roles[name];
  const open = roles.template && !text(node, "template");
  return open && name === first(node, roles) ? slots(roles.template ?? "").join(" + ") : null;
}

/** The field of the text that is read first. */
function first(node: Node, roles: Roles): string {
  const task = taskOf(node);
  if (task === "seq2seq") return "prompt_field";
  return task === "generation" && target(node, roles) ? "prompt_field" : "text_field";
}

/** What generation learns from; null while nothing is chosen and nothing is known. */
export type Way = "text" | "pair" | "template" | "messages";
export function way(node: Node, roles: Roles): Way | null {
  const has = (name: string) => text(node, name) !== null;
  if (has("messages_field")) return "messages";
  if (has("template")) return "template";
  if (has("text_field")) return "text";
  if (has("target_field") || has("prompt_field")) return "pair";
  if (roles.messages_field) return "messages";
  if (roles.template) return "template";
  if (roles.target_field) return "pair";
  return roles.text_field ? "text" : null;
}

const WAY_OF: Record<string, Way[]> = {
  text_field: ["text"],
  prompt_field: ["pair"],
  target_field: ["pair", "template"],
  template: ["template"],
  messages_field: ["messages"],
};

/** Whether a field is left out because generation learns in another way. */
export function unused(node: Node, name: string, roles: Roles): boolean {
  if (text(node, name)) return false;
  const templated = text(node, "template") !== null;
  if (taskOf(node) === "seq2seq") return name === "prompt_field" && templated;
  if (taskOf(node) !== "generation" || !(name in WAY_OF)) return false;
  const chosen = way(node, roles);
  // A template that null means is told in the field of the text that it builds.
  if (chosen === "template" && !templated && name === first(node, roles)) return false;
  return chosen !== null && !WAY_OF[name]?.includes(chosen);
}

/** What stands in a field that is left out: for the text of chats, the column they come from. */
export function instead(node: Node, name: string, roles: Roles): string {
  if (name !== first(node, roles)) return "not used";
  const chosen = taskOf(node) === "seq2seq" ? "template" : way(node, roles);
  const chats = text(node, "messages_field") ?? roles.messages_field;
  if (chosen === "messages" && chats) return `chats in ${chats}`;
  return chosen === "template" ? "as the template says" : "not used";
}

/** The target that will be learned: the chosen one, or the one null would choose. */
export function target(node: Node, roles: Roles): string | null {
  const chosen = text(node, "target_field");
  if (chosen) return chosen;
  const decided = ["text_field", "messages_field", "template"].some((f) => text(node, f));
  return decided ? null : (roles.target_field ?? null);
}

/** The two column fields that the open node shows. */
export function roleFields(node: Node, roles: Roles): [RoleField, RoleField] {
  const field = (name: string): RoleField => ({
    name,
    label: roleLabel(node, name) ?? name,
    auto: auto(node, name, roles),
    ...(unused(node, name, roles) && { none: true }),
  });
  switch (taskOf(node)) {
    case "classification":
    case "token_classification":
      return [field("text_field"), field("label_field")];
    case "seq2seq":
      return [field("prompt_field"), field("target_field")];
    default:
      return [field(first(node, roles)), field("target_field")];
  }
}

/** Chosen for a target: there is none, the text alone is learned. */
export const NO_TARGET = "\u0000none";

type Patch = Record<string, string | null>;
const OTHERS = ["text_field", "prompt_field", "target_field", "template", "messages_field"];

/** The data changes that setting one role means. */
export function setRole(node: Node, field: string, value: string | null, roles: Roles): Patch {
  if (value === NO_TARGET) {
    const first = text(node, "prompt_field") ?? text(node, "text_field");
    const column = first ?? roles.text_field ?? roles.prompt_field ?? null;
    return { target_field: null, prompt_field: null, text_field: column };
  }
  const patch: Patch = { [field]: value };
  // One way to learn ends the others.
  const end = (...names: string[]) => {
    for (const name of names) if (text(node, name)) patch[name] = null;
  };
  if (taskOf(node) === "seq2seq" && value) {
    if (field === "template") end("prompt_field");
    if (field === "prompt_field") end("template");
  }
  if (taskOf(node) !== "generation") return patch;
  if (field === "target_field" && value) {
    const moved = text(node, "text_field");
    if (moved) Object.assign(patch, { prompt_field: moved, text_field: null });
    end("messages_field");
  } else if (field === "target_field") {
    const moved = text(node, "prompt_field");
    if (moved) Object.assign(patch, { text_field: moved, prompt_field: null });
  } else if (field === "prompt_field" && value) {
    // A chosen prompt ends the automatic choice, so its target is written down with it.
    if (roles.target_field && !text(node, "target_field")) patch.target_field = roles.target_field;
    end("text_field", "template", "messages_field");
  } else if (field === "template" && value) {
    end("text_field", "prompt_field", "messages_field");
  } else if (OTHERS.includes(field) && value) {
    end(...OTHERS.filter((name) => name !== field));
  }
  return patch;
}

/** The column a value path begins at: "answers.text[0]" begins at "answers". */
export function columnOf(path: string, columns: string[]): string | null {
  if (columns.includes(path)) return path;
  const within = columns.filter((c) => path.startsWith(`${c}.`) || path.startsWith(`${c}[`));
  return within.sort((a, b) => b.length - a.length)[0] ?? null;
}

/** What each column is for: its marks on the head of the table, "label", "target [0]". */
export function marks(node: Node | null, facts: SourceFacts): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const add = (path: string, word: string) => {
    const column = columnOf(path, facts.columns);
    if (!column) return;
    const rest = path.slice(column.length);
    found.set(column, [...(found.get(column) ?? []), rest ? `${word} ${rest}` : word]);
  };
  const { roles } = facts;
  const labels = ROLE_LABELS[node ? taskOf(node) : "generation"] ?? {};
  const word = (name: string) => (labels[name] ?? "").replace(/ field$/, "").toLowerCase();
  const template = (node && text(node, "template")) ?? roles.template;
  const head = node ? first(node, roles) : "prompt_field";
  for (const name of Object.keys(labels)) {
    if (name === "source_prefix" || name === "template") continue;
    const skip = node !== null && unused(node, name, roles);
    const value = (node && text(node, name)) ?? (skip ? null : (roles[name] ?? null));
    if (value) add(value, word(name));
    // A template takes the place of the text that is read first.
    else if (name === head && template) for (const path of slots(template)) add(path, word(name));
  }
  const group = node && text(node, "group_field");
  if (group) add(group, "group");
  return found;
}
