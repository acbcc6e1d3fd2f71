/** Class balance as bars; each is as long as its share of the largest class. */
import { useState } from "react";
import { count } from "../../../logic/format";
import { Button } from "../../parts";
import { Part } from "./Part";

const SHOWN = 12;

export function Classes({ classes }: { classes: Record<string, number> }) {
  const [all, setAll] = useState(false);
  const rows = Object.entries(classes);
  if (rows.length === 0) return null;
  const most = Math.max(1, ...rows.map(([, n]) => n));
  const hidden = all ? 0 : Math.max(0, rows.length - SHOWN);
  return (
    <Part title={`${count(rows.length)} classes`}>
      <ul className="em-classes" data-testid="audit-classes">
        {rows.slice(0, rows.length - hidden).map(([name, n]) => (
          <li key={name}>
            <span className="em-ellipsis" title={name} dir="auto">
              {name || "(empty)"}
            </span>
            <span className="em-class-bar">
              <span style={{ width: `${(100 * n) / most}%` }} />
            </span>
            <span>{count(n)}</span>
          </li>
        ))}
      </ul>
      {hidden > 0 && (
        <Button kind="link" onClick={() => setAll(true)}>
          {`${count(hidden)} more, down to ${count(rows.at(-1)?.[1] ?? 0)}`}
        </Button>
      )}
    </Part>
  );
}
