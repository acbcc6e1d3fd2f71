/**
 * The sixth and seventh field of a Finetuning node: which columns play which role.
 *
 * Generation learns a text, or a target after a prompt. The first column is therefore
 * the document's text_field or its prompt_field, and moves between them in one step
 * when the target is set or cleared.
 */
import type { Node } from "../protocol";
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

const text = (node: Node, name: string): string | null => {
  const value = fieldValue(node, name);
  return typeof value === "string" && value !== "" ? value : null;
};

/** The target that will be learned: the chosen one, or the one null would choose. */
export function target(node: Node, roles: Roles): string | null {
  const chosen = text(node, "target_field");
  if (chosen) return chosen;
  const decided = ["text_field", "messages_field", "template"].some((f) => text(node, f));
  return decided ? null : (roles.target_field ?? null);
}

/** The two column fields that the open node shows. */
export function roleFields(node: Node, roles: Roles): [RoleField, RoleField] {
  const auto = (name: string) => roles[name] ?? null;
  switch (fieldValue(node, "task")) {
    case "classification":
      return [
        { name: "text_field", label: "Text field", auto: auto("text_field") },
        { name: "label_field", label: "Label field", auto: auto("label_field") },
      ];
    case "token_classification":
      return [
        { name: "text_field", label: "Tokens field", auto: auto("text_field") },
        { name: "label_field", label: "Tags field", auto: auto("label_field") },
      ];
    case "seq2seq":
      return [
        { name: "prompt_field", label: "Text field", auto: auto("prompt_field") },
        { name: "target_field", label: "Target field", auto: auto("target_field") },
      ];
    default: {
      const learned = target(node, roles);
      const first = learned ? "prompt_field" : "text_field";
      const plain = text(node, "text_field") !== null;
      return [
        { name: first, label: "Text field", auto: auto(first) },
        {
          name: "target_field",
          label: "Target field",
          auto: plain ? null : auto("target_field"),
          none: plain,
        },
      ];
    }
  }
}

/** Chosen for a target: there is none, the text alone is learned. */
export const NO_TARGET = "\u0000none";

/** The data changes that setting one column field means. */
export function setRole(node: Node, field: string, value: string | null, roles: Roles) {
  if (value === NO_TARGET) {
    const first = text(node, "prompt_field") ?? text(node, "text_field");
    const column = first ?? roles.text_field ?? roles.prompt_field ?? null;
    return { target_field: null, prompt_field: null, text_field: column };
  }
  const patch: Record<string, string | null> = { [field]: value };
  if (fieldValue(node, "task") !== "generation") return patch;
  if (field === "target_field" && value) {
    const moved = text(node, "text_field");
    if (moved) Object.assign(patch, { prompt_field: moved, text_field: null });
  } else if (field === "target_field") {
    const moved = text(node, "prompt_field");
    if (moved) Object.assign(patch, { text_field: moved, prompt_field: null });
  } else if (field === "prompt_field" && value && !text(node, "target_field")) {
    // A chosen prompt ends the automatic choice, so its target is written down with it.
    if (roles.target_field) patch.target_field = roles.target_field;
  }
  return patch;
}
