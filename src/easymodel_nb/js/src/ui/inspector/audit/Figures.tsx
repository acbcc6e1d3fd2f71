/** The counts of the audit, line by line; what was not counted has no line. */
import { bytes, count, share } from "../../../logic/format";
import type { Audit } from "../../../protocol";
import { Part } from "./Part";

type Line = [name: string, value: string, note?: string];

export function Figures({ audit }: { audit: Audit }) {
  const groups: [string, Line[]][] = [
    ["Rows", rows(audit)],
    ["Tokens", tokens(audit)],
    ["The run", run(audit)],
  ];
  return groups.map(
    ([title, lines]) =>
      lines.length > 0 && (
        <Part key={title} title={title}>
          <dl className="em-figures">
            {lines.map(([name, value, note]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  {value} {note && <small>{note}</small>}
                </dd>
              </div>
            ))}
          </dl>
        </Part>
      ),
  );
}

/** A line for a number that was counted. */
const line = (name: string, n: number | null, write = count, note?: string): Line[] =>
  n === null ? [] : [[name, write(n), ...((note ? [note] : []) as [string?])]];
/** A line for what is only worth one when there is some. */
const some = (name: string, n: number | null, note?: string): Line[] =>
  n ? line(name, n, count, note) : [];
const of = (n: number | null): string | undefined => (n === null ? undefined : `(${share(n)})`);

function rows(a: Audit): Line[] {
  const dropped = Object.entries(a.dropped).filter(([, n]) => n > 0);
  return [
    ...line("Trained", a.rows, count, a.split_rows ? `of ${count(a.split_rows)}` : undefined),
    ...line("Validation", a.eval_rows),
    ...dropped.map(([reason, n]): Line => ["Left out", count(n), reason]),
    ...some("Duplicates", a.duplicates),
    ...some("Also in validation", a.overlap, "rows that are in both splits"),
    ...some("Nothing to learn", a.empty_rows),
  ];
}

function tokens(a: Audit): Line[] {
  const all = a.learned_unit === "tokens" ? a.tokens : null;
  const learned = all && a.learned_tokens !== null ? of(a.learned_tokens / all) : a.learned_unit;
  return [
    ...line("Read each epoch", a.tokens),
    ...line("Learned each epoch", a.learned_tokens, count, learned),
    ...line("Rows cut", a.cut_rows, count, of(a.cut_share)),
    ...line("Target tokens cut", a.cut_target_tokens, count, of(a.cut_target_share)),
    ...(a.windowed ? ([["Long texts", "read in windows"]] as Line[]) : []),
    ...some("Fits (nearly) all", a.suggested_length, "tokens as max length"),
  ];
}

function run(a: Audit): Line[] {
  const each = a.steps_per_epoch === null ? undefined : `${count(a.steps_per_epoch)} an epoch`;
  return [
    ...line("Steps", a.steps, count, each),
    ...line("Model on disk", a.model_bytes, bytes),
    ...line("Disk needed", a.disk_bytes, bytes, "at most, with checkpoints"),
    ...line("Disk free", a.disk_free, bytes),
    ...line("To download", a.download_bytes, (n) => (n === 0 ? "nothing" : bytes(n))),
  ];
}
