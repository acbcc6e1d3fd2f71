/** How the file was read: what was guessed and why, and a choice where the guess is wrong. */
import { useId } from "react";
import {
  concerns,
  FORMAT,
  type FormatName,
  formatValue,
  guessOf,
  hasFormat,
  inWords,
  isFormat,
  otherGuesses,
  sentence,
} from "../../logic/dataset";
import { fieldValue } from "../../logic/graph";
import type { Node, Problem, SourceFacts } from "../../protocol";
import { useActions } from "../../state/session";
import { Icon } from "../icons";
import { FieldProblems } from "../Problem";
import { Section } from "./Section";

interface Props {
  node: Node;
  facts: SourceFacts | null;
  problems: Problem[];
}

export function FileFormat({ node, facts, problems }: Props) {
  const format = (fieldValue(node, "format") ?? {}) as Record<string, unknown>;
  const mine = problems.filter((p) => p.field !== null && isFormat(p.field));
  if (!hasFormat(facts, format) && mine.length === 0) return null;
  const named = (p: Problem) => FORMAT.some(({ name }) => concerns(p.field, name));
  return (
    <Section title="How the file is read">
      <FieldProblems id={`${node.id}-format`} problems={mine.filter((p) => !named(p))} />
      {FORMAT.map(({ name }) => (
        <FormatField
          key={name}
          name={name}
          node={node}
          format={format}
          facts={facts}
          problems={mine.filter((p) => concerns(p.field, name))}
          all={mine.length > 0}
        />
      ))}
      {otherGuesses(facts).map(({ label, guess }) => (
        <div key={label} className="em-field" data-guess={guess.field}>
          <span className="em-label">{label}</span>
          <span className="em-guess">{String(guess.value ?? "") || "none"}</span>
          {guess.reason && <small className="em-help">{sentence(guess.reason)}</small>}
        </div>
      ))}
    </Section>
  );
}

interface FieldProps extends Props {
  name: FormatName;
  format: Record<string, unknown>;
  /** Each may be what is wrong, so all are shown. */
  all: boolean;
}

function FormatField({ name, node, format, facts, problems, all }: FieldProps) {
  const { setField } = useActions();
  const id = useId();
  const spec = FORMAT.find((f) => f.name === name);
  const guess = guessOf(facts, name);
  const set = format[name] ?? null;
  const value = set === null ? "" : String(set);
  // A file whose kind has no such thing: JSON has no delimiter.
  if (!spec || (!guess && set === null && !all)) return null;
  const known = spec.choices.some(([v]) => v === value);
  return (
    <div className="em-field" data-kind="choice" data-invalid={problems.length > 0 || undefined}>
      <label className="em-label" htmlFor={id}>
        {spec.label}
      </label>
      <div className="em-control">
        <select
          id={id}
          className="em-input em-select"
          data-testid={`field-${name}`}
          value={value}
          onChange={(e) =>
            setField(node.id, { format: { ...format, [name]: formatValue(name, e.target.value) } })
          }
        >
          <option value="">
            {guess && set === null ? `Guessed: ${inWords(name, guess.value)}` : "Guess"}
          </option>
          {value !== "" && !known && <option value={value}>{inWords(name, value)}</option>}
          {spec.choices.map(([v, title]) => (
            <option key={v} value={v}>
              {title}
            </option>
          ))}
        </select>
        <Icon name="down" size={14} />
      </div>
      <FieldProblems id={`${id}-problems`} problems={problems} />
      {guess?.reason && set === null && <small className="em-help">{sentence(guess.reason)}</small>}
    </div>
  );
}
