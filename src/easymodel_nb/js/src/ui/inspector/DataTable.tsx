/** The first rows of a dataset, with the role each column plays on its head. */
import { count } from "../../logic/format";
import { marks } from "../../logic/roles";
import { nodeFed } from "../../logic/sources";
import type { SourceFacts } from "../../protocol";
import { useStudio } from "../../state/session";
import { Section } from "./Section";

export function DataTable({ id, facts }: { id: string; facts: SourceFacts | null }) {
  const fed = useStudio((s) => nodeFed(s.history.present, id));
  if (!facts || facts.columns.length === 0) return null;
  const roles = marks(fed, facts);
  // What is learned first: it would be out of sight behind ids and dates.
  const order = [...facts.columns.keys()].sort(
    (a, b) => Number(has(roles, facts, b)) - Number(has(roles, facts, a)),
  );
  const total = facts.total_rows;
  return (
    <Section title="First rows">
      <section
        className="em-table nowheel"
        data-testid="data-preview"
        aria-label="First rows"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it
        tabIndex={0}
      >
        <table>
          <thead>
            <tr>
              {order.map((i) => {
                const column = facts.columns[i] ?? "";
                const mine = roles.get(column);
                return (
                  <th key={column} data-roles={mine?.join(" ")}>
                    {column}
                    {mine?.map((role) => (
                      <small key={role}>{role}</small>
                    ))}
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody>
            {facts.rows.map((row, r) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other identity
              <tr key={r}>
                {order.map((i) => (
                  <td key={facts.columns[i]} dir="auto">
                    {row[i]}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {total !== null && (
        <p className="em-muted">
          {count(Math.min(facts.rows.length, total))} of {count(total)} rows
        </p>
      )}
    </Section>
  );
}

const has = (roles: Map<string, string[]>, facts: SourceFacts, column: number) =>
  roles.has(facts.columns[column] ?? "");
