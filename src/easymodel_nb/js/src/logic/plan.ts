/** The choices of a frozen plan, each with its reason. */
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
    name: text(c.field).replace(/_/g, " "),
    value: text(c.value),
    reason: text(c.reason ?? ""),
  }));
}
