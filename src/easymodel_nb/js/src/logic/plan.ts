/** The choices of a frozen plan, each with its reason. */
import { sentence } from "./dataset";
import { type Field, labelOf } from "./fields";

export interface ChoiceRow {
  name: string;
  value: string;
  reason: string;
}

const text = (value: unknown): string =>
  value === null || value === undefined
    ? "none"
    : typeof value === "object"
      ? JSON.stringify(value)
      : String(value);

export function choices(plan: Record<string, unknown>): ChoiceRow[] {
  if (!Array.isArray(plan.choices)) return [];
  return plan.choices.map((c: Record<string, unknown>) => ({
    name: labelOf(text(c.field)),
    value: text(c.value),
    reason: sentence(text(c.reason ?? "")),
  }));
}

const spoken = (value: unknown): string => {
  if (typeof value === "boolean") return value ? "on" : "off";
  return Array.isArray(value) ? value.join(", ") : text(value);
};

/** A field with what "auto" came to, where the audit has chosen it, and why. */
export function chosen(field: Field, made: Record<string, unknown>[]): Field {
  const choice = made.find((c) => c.field === field.name);
  if (!field.nullable || !choice || choice.value === null) return field;
  const value = spoken(choice.value);
  const help = [field.help, choice.reason && `auto: ${text(choice.reason)}.`];
  return { ...field, empty: `auto: ${value}`, help: help.filter(Boolean).join(" ") };
}
