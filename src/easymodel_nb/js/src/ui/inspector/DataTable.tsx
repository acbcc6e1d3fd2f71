/** The first rows of a dataset, with the role each column plays. */
import { count } from "../../logic/format";
import { useStudio } from "../../state/session";
import { Section } from "./Inspector";

export function DataTable({ id }: { id: string }) {
  const facts = useStudio((s) => s.traits.catalog.facts[id] ?? null);
  if (!facts || facts.columns.length === 0) return null;
  const roles = new Map(Object.entries(facts.roles).map(([role, column]) => [column, role]));
  const total = facts.total_rows;
  return (
    <Section title="First rows">
      <div className="em-table nowheel" data-testid="data-preview">
        <table>
          <thead>
            <tr>
              {facts.columns.map((column) => (
                <th key={column}>
                  {column}
                  {roles.has(column) && <small>{roles.get(column)?.replace("_field", "")}</small>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {facts.rows.map((row, r) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other identity
              <tr key={r}>
                {facts.columns.map((column, i) => (
                  <td key={column}>{row[i]}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {total !== null && (
        <p className="em-muted">
          {count(facts.rows.length)} of {count(total)} rows
        </p>
      )}
    </Section>
  );
}
