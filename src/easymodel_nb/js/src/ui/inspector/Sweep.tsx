/** Several values of a field: each makes a run of this node. */
import { useId } from "react";
import { type Field, GROUPS, NODE_FIELDS } from "../../logic/fields";
import { fieldValue } from "../../logic/graph";
import {
  canSweep,
  isSwept,
  items,
  MOST,
  made,
  runsOf,
  shown,
  sweepOf,
  withValues,
} from "../../logic/sweep";
import type { FinetuneData, Node, Problem } from "../../protocol";
import { DEFAULTS } from "../../protocol";
import { useActions } from "../../state/session";
import { useDraft } from "../draft";
import { Icon } from "../icons";
import { FieldProblems } from "../Problem";
import { Button } from "../parts";
import { Section } from "./Section";

const FIELDS = [...NODE_FIELDS, ...GROUPS.flatMap((g) => g.fields)].filter((f) => canSweep(f.name));
/** What can be listed here; columns and templates are swept by a document alone. */
const OFFERED = FIELDS.filter((f) => ["number", "choice", "switch"].includes(f.kind));

export function Sweep({ node, problems }: { node: Node; problems: Problem[] }) {
  const { setField, layOutSweep } = useActions();
  const id = useId();
  const sweep = sweepOf(node);
  const data = { ...DEFAULTS.finetune, ...node.data } as FinetuneData;
  const offered = OFFERED.filter((f) => !isSwept(node, f.name) && (!f.when || f.when(data, 1)));
  const runs = runsOf(sweep);
  const rows = Object.keys(sweep).map(
    (name): Field => FIELDS.find((f) => f.name === name) ?? { name, label: name, kind: "text" },
  );
  const set = (field: string, values: unknown[]) =>
    setField(node.id, { sweep: withValues(node, field, values) }, true);
  return (
    <Section title="Sweep" part="sweep">
      {rows.length === 0 && (
        <small className="em-help">
          Each value of a field becomes a run of its own. Type several values into a field, with
          commas between them (1e-5, 5e-5), or choose a field here.
        </small>
      )}
      {rows.map((spec) => (
        <Row
          key={spec.name}
          node={node}
          spec={spec}
          problems={problems.filter((p) => p.field === spec.name)}
          onChange={(values) => set(spec.name, values)}
        />
      ))}
      <FieldProblems id={`${id}-problems`} problems={problems.filter((p) => p.field === "sweep")} />
      <div className="em-sweep-foot">
        <span className="em-select-wrap em-grow">
          <select
            className="em-input em-select"
            aria-label="Sweep another field"
            data-testid="sweep-add"
            value=""
            onChange={(e) => set(e.target.value, [fieldValue(node, e.target.value)])}
          >
            <option value="">{rows.length > 0 ? "Another field" : "Choose a field"}</option>
            {offered.map((f) => (
              <option key={f.name} value={f.name}>
                {f.label}
              </option>
            ))}
          </select>
          <Icon name="down" size={14} />
        </span>
        {rows.length > 0 && (
          <b data-testid="sweep-runs" aria-live="polite">
            {made(sweep)}
          </b>
        )}
      </div>
      {runs > 1 && runs <= MOST && (
        <Button icon="layout" testid="sweep-layout" onClick={() => layOutSweep(node.id)}>
          Lay out as nodes
        </Button>
      )}
    </Section>
  );
}

interface RowProps {
  node: Node;
  spec: Field;
  problems: Problem[];
  onChange: (values: unknown[]) => void;
}

function Row({ node, spec, problems, onChange }: RowProps) {
  const id = useId();
  const values = sweepOf(node)[spec.name] ?? [];
  const label = `Values of ${spec.label}`;
  const choices = choicesOf(spec);
  return (
    <div className="em-sweep-row" data-testid={`sweep-${spec.name}`}>
      <span className="em-label" title={spec.label}>
        {spec.label}
      </span>
      {choices ? (
        <fieldset className="em-sweep-choices" aria-label={label}>
          {choices.map(([value, name]) => (
            <label key={String(value)}>
              <input
                type="checkbox"
                checked={values.includes(value)}
                disabled={values.length === 1 && values.includes(value)}
                onChange={(e) => onChange(ticked(choices, values, value, e.target.checked))}
              />
              {name}
            </label>
          ))}
        </fieldset>
      ) : (
        <List
          id={id}
          label={label}
          spec={spec}
          values={values}
          invalid={problems.length > 0}
          onChange={onChange}
        />
      )}
      <Button
        icon="cross"
        kind="quiet"
        label={`Do not sweep ${spec.label}`}
        testid={`sweep-remove-${spec.name}`}
        onClick={() => onChange([])}
      />
      <FieldProblems id={`${id}-problems`} problems={problems} />
    </div>
  );
}

interface ListProps {
  id: string;
  label: string;
  spec: Field;
  values: unknown[];
  invalid: boolean;
  onChange: (values: unknown[]) => void;
}

function List({ id, label, spec, values, invalid, onChange }: ListProps) {
  const { setNothing, ...draft } = useDraft(shown(values), (text) => shown(items(spec, text)));
  return (
    <input
      className="em-input"
      type="text"
      aria-label={label}
      aria-invalid={invalid || undefined}
      aria-describedby={invalid ? `${id}-problems` : undefined}
      autoComplete="off"
      spellCheck={false}
      readOnly={!["number", "list"].includes(spec.kind)}
      value={draft.text}
      onChange={(e) => {
        draft.type(e.target.value);
        const typed = items(spec, e.target.value);
        if (typed.length > 0) onChange(typed);
      }}
      onBlur={setNothing}
    />
  );
}

type Choice = [value: unknown, name: string];

function choicesOf(spec: Field): Choice[] | null {
  if (spec.kind === "choice") return spec.choices ?? [];
  if (spec.kind !== "switch") return null;
  const plain: Choice[] = [
    [true, "On"],
    [false, "Off"],
  ];
  return spec.nullable ? [[null, "auto"], ...plain] : plain;
}

/** The ticked values in the order in which they are offered. */
const ticked = (choices: Choice[], values: unknown[], value: unknown, on: boolean) =>
  choices.map(([v]) => v).filter((v) => (v === value ? on : values.includes(v)));
