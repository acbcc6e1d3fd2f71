/** The splits of a dataset with their rows, and which of them are trained on and measured. */
import { guessOf } from "../../logic/dataset";
import { HELD_OUT, show } from "../../logic/fields";
import { count } from "../../logic/format";
import { fieldValue } from "../../logic/graph";
import type { Node, Problem, SourceFacts } from "../../protocol";
import { useActions } from "../../state/session";
import { Combobox } from "../Combobox";
import { Field } from "../Field";
import { FieldProblems } from "../Problem";
import { Section } from "./Section";

export const SPLIT_FIELDS = ["train_split", "eval_split", HELD_OUT.name];
const LABELS: Record<string, string> = {
  train_split: "Train split",
  eval_split: "Validation split",
};

interface Props {
  node: Node;
  facts: SourceFacts | null;
  problems: Problem[];
}

export function Splits({ node, facts, problems }: Props) {
  const splits = facts?.splits ?? [];
  return (
    <Section title="Splits">
      {splits.length > 0 && (
        <dl className="em-splits" data-testid="splits">
          {splits.map((s) => (
            <div key={s.name}>
              <dt>{s.name}</dt>
              <dd>{s.rows === null ? "rows not counted" : `${count(s.rows)} rows`}</dd>
            </div>
          ))}
        </dl>
      )}
      {["train_split", "eval_split"].map((name) => (
        <SplitField key={name} name={name} node={node} facts={facts} problems={problems} />
      ))}
      <Field node={node} spec={HELD_OUT} problems={problems} />
    </Section>
  );
}

function SplitField({ name, node, facts, problems }: Props & { name: string }) {
  const { setField } = useActions();
  const label = LABELS[name] ?? name;
  const mine = problems.filter((p) => p.field === name);
  const guess = guessOf(facts, name);
  const auto = guess?.value ? String(guess.value) : null;
  const at = `${node.id}-${name}-problems`;
  const options = [
    {
      value: "",
      title: auto ? `Choose for me: ${auto}` : "Choose for me",
      ...(guess?.reason && { detail: guess.reason }),
    },
    ...(facts?.splits ?? []).map((s) => ({
      value: s.name,
      title: s.name,
      ...(s.rows !== null && { detail: `${count(s.rows)} rows` }),
    })),
  ];
  return (
    <div className="em-field" data-kind="column">
      <span className="em-label">{label}</span>
      <div className="em-control">
        <Combobox
          value={show(fieldValue(node, name))}
          label={label}
          options={options}
          placeholder={auto ?? (name === "eval_split" ? "auto, else held out" : "auto")}
          hint={auto && !fieldValue(node, name) ? "auto" : undefined}
          testid={`field-${name}`}
          invalid={mine.length > 0}
          describedBy={mine.length > 0 ? at : undefined}
          onChange={(text, typing) => setField(node.id, { [name]: text.trim() || null }, typing)}
        />
      </div>
      <FieldProblems id={at} problems={mine} />
    </div>
  );
}
