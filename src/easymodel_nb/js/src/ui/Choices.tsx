/** Every choice that was made for the user, with its reason. */
import type { ChoiceRow } from "../logic/plan";

export function Choices({ rows }: { rows: ChoiceRow[] }) {
  return (
    <dl className="em-choices">
      {rows.map((row) => (
        <div key={row.name}>
          <dt>{row.name}</dt>
          <dd>{row.value}</dd>
          <dd className="em-why">{row.reason}</dd>
        </div>
      ))}
    </dl>
  );
}
