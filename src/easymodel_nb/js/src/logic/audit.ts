/** What the gate says of a Finetuning node, and whether it lets it train. */
import type { Audit, Cell, Node, Problem } from "../protocol";
import { fieldValue } from "./graph";
import { once } from "./once";
import { unique } from "./runs";

export type Sign = NonNullable<Cell["sign"]>;
export const CELLS: [Cell["name"], string][] = [
  ["rows", "Rows"],
  ["tokens", "Tokens"],
  ["cut", "Cut"],
  ["time", "Time"],
  ["memory", "Memory"],
];

/** What a node without an audit has: nothing is known, and nothing forbids training. */
export const NO_AUDIT: Pick<Audit, "state" | "message"> = { state: "none", message: "" };

/** The codes of the warnings that a person has accepted for this node. */
export function accepted(node: Node): string[] {
  const value = fieldValue(node, "accept");
  return Array.isArray(value) ? value.map(String) : [];
}

/** `accept` with a code put in, or taken out. */
export function toggled(codes: string[], code: string): string[] {
  return codes.includes(code) ? codes.filter((c) => c !== code) : [...codes, code];
}

/** Everything the audit and the fit check found, each once; what forbids comes first. */
export const found = (audit: Audit | undefined): Problem[] => (audit ? foundBy(audit) : []);

const foundBy = once((audit: Audit): Problem[] => {
  const all = unique([...audit.problems, ...(audit.fit?.problems ?? [])]);
  const rank = { error: 0, ask: 1, note: 2 };
  return all.sort((a, b) => rank[a.severity] - rank[b.severity]);
});

/** What the audits found that forbids, for the places outside the node they were made for. */
export const forbidden = once((audits: Record<string, Audit>): Problem[] =>
  unique(
    Object.values(audits).flatMap((audit) =>
      audit.state === "done" ? found(audit).filter((p) => p.severity === "error") : [],
    ),
  ),
);

/**
 * The verdict with the ticks as they stand here: a tick counts before the kernel has
 * looked again. null while nothing is decided, which never keeps anybody from training.
 */
export function verdict(audit: Audit | undefined, accept: string[]): Sign | null {
  if (audit?.state !== "done") return null;
  const problems = found(audit);
  if (audit.verdict === "red" || problems.some((p) => p.severity === "error")) return "red";
  const open = problems.some((p) => p.severity === "ask" && !accept.includes(p.code));
  return open ? "amber" : "green";
}

/**
 * The one line of the strip: what forbids, else what waits for a tick, else what was
 * accepted; a note only where it announces a download.
 */
export function warning(audit: Audit | undefined, accept: string[]): Problem | null {
  if (audit?.state !== "done") return null;
  const problems = found(audit);
  return (
    problems.find((p) => p.severity === "error") ??
    problems.find((p) => p.severity === "ask" && !accept.includes(p.code)) ??
    problems.find((p) => p.severity === "ask") ??
    audit.fit_problem ??
    problems.find((p) => p.code.startsWith("download.")) ??
    null
  );
}

/** The first sentence of a message: the strip has a line, the inspector has room. */
export const brief = (message: string): string =>
  message.match(/^.{20,}?[.!?](?= [A-Z])/)?.[0] ?? message;

/** How many other problems ask for something, besides the one in the line. */
export function others(audit: Audit | undefined, accept: string[]): number {
  const open = found(audit).filter(
    (p) => p.severity === "error" || (p.severity === "ask" && !accept.includes(p.code)),
  );
  return Math.max(0, open.length - 1);
}

const WORDS: Record<Sign, string> = {
  green: "Ready.",
  amber: "Ready if you accept.",
  red: "Cannot start.",
};

/** The verdict line: its word, and what stands behind it. `sign` is the verdict. */
export function headline(
  audit: Audit | undefined,
  sign: Sign | null,
  device: string,
): [word: string, rest: string] {
  const { state, message } = audit ?? NO_AUDIT;
  if (sign === "red" && state !== "done") return [WORDS.red, "Fix what is marked in red."];
  if (sign) return [WORDS[sign], sign === "red" ? "" : about(audit, device)];
  if (state === "unknown") return ["Not checked.", "You can still train."];
  if (state === "none") return ["Not checked yet.", message || "It needs a model and a dataset."];
  return [state === "waiting" ? "Waiting." : "Checking.", message];
}

/** "About 50 s on this CPU", once it was measured; before that how many steps it is. */
function about(audit: Audit | undefined, device: string): string {
  const time = cell(audit, "time");
  const runs = audit && audit.runs > 1 ? ` each, ${audit.runs} runs` : "";
  if (time?.text && runs) return `About ${time.text}${runs}`;
  if (time?.text) {
    const name = (audit?.fit?.device || device).split(",")[0];
    const known = /^cpu/i.test(name ?? "") ? "CPU" : name;
    return `About ${time.text}${known ? ` on this ${known}` : ""}`;
  }
  const steps = audit?.steps;
  return steps ? `${steps.toLocaleString("en-US")} step${steps === 1 ? "" : "s"}${runs}` : "";
}

export const cell = (audit: Audit | undefined, name: Cell["name"]): Cell | undefined =>
  audit?.cells.find((c) => c.name === name);

/** Why Train Model is disabled; null when it is not. `sign` is the verdict. */
export function refusal(
  audit: Audit | undefined,
  sign: Sign | null,
  accept: string[],
): string | null {
  if (sign === "red") return "Fix what is marked in red first.";
  if (sign !== "amber") return null;
  return warning(audit, accept)?.fix
    ? "Accept the warning above, or use its fix, to train."
    : "Accept the warning above to train.";
}

/** A figure as narrow as its cell: "5 min 17 s" is "5 min" there, "2 h 05 min" is "2.1 h". */
export const narrow = (text: string): string =>
  text
    .replace(/^(\d+ min) \d+ s$/, "$1")
    .replace(
      /^(\d+) h (\d+) min$/,
      (_, h, min) => `${(Number(h) + Number(min) / 60).toFixed(1)} h`,
    );

/** What the Time and Memory cells say in place of a figure. */
export type Measuring = "check" | "waiting" | "checking" | null;
export function measuring(audit: Audit | undefined, name: Cell["name"]): Measuring {
  if (!audit || (name !== "time" && name !== "memory") || cell(audit, name)?.text) return null;
  if (audit.fit_state === "waiting" || audit.fit_state === "checking") return audit.fit_state;
  return audit.state === "done" ? "check" : null;
}
