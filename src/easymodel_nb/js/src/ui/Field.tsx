/** One field of a node: label, input, unit, and what is wrong with it. */
import { type ReactNode, useId, useState } from "react";
import { parse, type Field as Spec, show } from "../logic/fields";
import { fieldValue } from "../logic/graph";
import { auto as autoOf, instead, NO_TARGET, roleLabel, unused } from "../logic/roles";
import { isSwept, listed, made, shown, sweepOf, withValues } from "../logic/sweep";
import type { Node, Problem, SourceFacts } from "../protocol";
import { DEFAULTS } from "../protocol";
import { useActions, useStudio } from "../state/session";
import { Combobox, type Option } from "./Combobox";
import { Icon } from "./icons";
import { FieldProblems } from "./Problem";

interface FieldProps {
  node: Node;
  spec: Spec;
  problems: Problem[];
  /** The unit where it depends on the data: "of 13,084 rows". */
  unit?: string;
  /** For column fields: what is known of the data. */
  facts?: SourceFacts | null;
}

export function Field(p: FieldProps) {
  const { node, spec } = p;
  const id = useId();
  const mine = p.problems.filter((x) => x.field === spec.name);
  const invalid = mine.some((x) => x.severity === "error");
  const common = {
    id,
    "data-testid": `field-${spec.name}`,
    "aria-invalid": invalid || undefined,
    "aria-describedby": mine.length > 0 ? `${id}-problems` : undefined,
  };
  return (
    <div className="em-field" data-invalid={invalid || undefined} data-kind={spec.kind}>
      <label className="em-label" htmlFor={id} title={spec.help}>
        {roleLabel(node, spec.name) ?? spec.label}
      </label>
      <div className="em-control nodrag nokey">
        <Control {...p} common={common} invalid={invalid} />
      </div>
      <FieldProblems id={`${id}-problems`} problems={mine} />
      {spec.help && HELPED.has(spec.name) && <small className="em-help">{spec.help}</small>}
    </div>
  );
}

/** Fields whose help is always in sight; the others tell it on hover. */
const HELPED = new Set(["template", "source_prefix"]);

interface ControlProps extends FieldProps {
  invalid: boolean;
  common: { id: string; "data-testid": string };
}

function Control(p: ControlProps): ReactNode {
  const { node, spec, common } = p;
  const { setField, setRole } = useActions();
  const value = fieldValue(node, spec.name);
  const set = (next: unknown, typing = false) => setField(node.id, { [spec.name]: next }, typing);
  if (spec.kind !== "number" && isSwept(node, spec.name)) return <Swept {...p} />;
  switch (spec.kind) {
    case "choice":
      return <Choice {...p} value={value} onChange={set} />;
    case "column":
      return <Column {...p} value={value} />;
    case "switch":
      return (
        <Choice
          {...p}
          value={value === null ? "" : String(value)}
          spec={{ ...spec, choices: switchChoices(spec) }}
          onChange={(v) => set(v === "" ? null : v === "true")}
        />
      );
    case "lines":
      return (
        <textarea
          {...common}
          className="em-input em-lines nowheel"
          rows={2}
          spellCheck={false}
          placeholder={
            (spec.name === "template" && p.facts?.roles.template) || (spec.empty ?? "auto")
          }
          value={show(value)}
          onChange={(e) =>
            spec.name === "template"
              ? setRole(node.id, spec.name, e.target.value || null)
              : set(parse(spec, e.target.value), true)
          }
        />
      );
    case "number":
      return <Numbers {...p} value={value} />;
    default:
      return (
        <>
          <Typed
            {...p}
            value={value}
            parse={(text) => parse(spec, text)}
            onChange={(v) => set(v, true)}
          />
          <Unit text={p.unit ?? spec.unit} />
        </>
      );
  }
}

const Unit = ({ text }: { text: string | undefined }) =>
  text ? <span className="em-hint">{text}</span> : null;

/** A number, or several with commas between them: then each makes a run. */
function Numbers(p: ControlProps & { value: unknown }) {
  const { node, spec } = p;
  const { setField } = useActions();
  const values = sweepOf(node)[spec.name];
  const meaning = (text: string) => listed(spec, text) ?? parse(spec, text.replace(/[,;]\s*$/, ""));
  return (
    <>
      <Typed
        {...p}
        value={values ?? p.value}
        parse={meaning}
        show={values ? (all) => shown(all as unknown[]) : show}
        onChange={(next) => {
          const list = Array.isArray(next) ? next : [];
          // What was typed on the way to a list is no value of its own.
          const kept = typeof p.value === "string" ? DEFAULTS.finetune?.[spec.name] : p.value;
          const patch = { [spec.name]: list.length > 0 ? kept : next };
          const sweep = withValues(node, spec.name, list);
          setField(node.id, values || list.length > 0 ? { ...patch, sweep } : patch, true);
        }}
      />
      <Unit text={values ? made({ [spec.name]: values }) : (p.unit ?? spec.unit)} />
    </>
  );
}

/** A field whose values the sweep lists: what they are, and where they are changed. */
function Swept({ node, spec, common }: ControlProps) {
  const { inspect } = useActions();
  const values = sweepOf(node)[spec.name] ?? [];
  return (
    <>
      <input
        {...common}
        className="em-input em-input-swept"
        readOnly
        title="Changed in the sweep"
        value={shown(values)}
        onClick={() => inspect(node.id, "sweep")}
      />
      <Unit text={made({ [spec.name]: values })} />
    </>
  );
}

const switchChoices = (spec: Spec): [string, string][] => [
  ...(spec.nullable ? ([["", spec.empty ?? "auto"]] as [string, string][]) : []),
  ["true", "On"],
  ["false", "Off"],
];

/**
 * A typed value. The text stays as typed while the focus is here ("1." is on its way to
 * "1.5"); what the document makes of it is shown afterwards.
 */
interface TypedProps extends ControlProps {
  value: unknown;
  parse: (text: string) => unknown;
  show?: (value: unknown) => string;
  onChange: (value: unknown) => void;
}

function Typed(p: TypedProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const { spec, common } = p;
  const known = draft !== null && same(p.parse(draft), p.value);
  const text = known ? draft : (p.show ?? show)(p.value);
  return (
    <input
      {...common}
      className="em-input"
      type="text"
      inputMode={spec.kind === "number" ? "decimal" : undefined}
      autoComplete="off"
      spellCheck={false}
      placeholder={spec.nullable ? (spec.empty ?? "auto") : undefined}
      value={text}
      onChange={(e) => {
        setDraft(e.target.value);
        p.onChange(p.parse(e.target.value));
      }}
      onBlur={() => setDraft(null)}
    />
  );
}

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

function Choice(p: ControlProps & { value: unknown; onChange: (value: string) => void }) {
  const { spec, common } = p;
  const value = show(p.value);
  const available = useStudio((s) => {
    const { tasks, methods } = s.traits.catalog;
    return spec.name === "task" ? tasks : spec.name === "method" ? methods : null;
  });
  const choices = spec.choices ?? [];
  const known = choices.some(([v]) => v === value);
  return (
    <>
      <select
        {...common}
        className="em-input em-select"
        value={value}
        onChange={(e) => p.onChange(e.target.value)}
      >
        {!known && <option value={value}>{value || "none"}</option>}
        {choices.map(([v, label]) => {
          const off = available !== null && available.length > 0 && !available.includes(v);
          return (
            <option key={v} value={v} disabled={off && v !== value}>
              {off ? `${label} (not in this version)` : label}
            </option>
          );
        })}
      </select>
      <Icon name="down" size={14} />
    </>
  );
}

function Column(p: ControlProps & { value: unknown }) {
  const { node, spec, facts } = p;
  const { setRole } = useActions();
  const value = show(p.value);
  const roles = facts?.roles ?? {};
  const left = unused(node, spec.name, roles);
  const auto = autoOf(node, spec.name, roles);
  const empty = left ? instead(node, spec.name, roles) : (spec.empty ?? "auto");
  const why = auto ? facts?.reasons[roles[spec.name] ? spec.name : "template"] : undefined;
  const offered = facts?.candidates[spec.name] ?? [];
  const columns = offered.length > 0 ? offered : (facts?.columns ?? []);
  const options: Option[] = [
    {
      value: "",
      title: nothing(auto, left ? empty : null, spec.empty),
      ...(why && { detail: why }),
    },
    ...(spec.name === "target_field" && fieldValue(node, "task") === "generation"
      ? [{ value: NO_TARGET, title: "None", detail: "learn the text alone" }]
      : []),
    ...columns.map((c) => ({ value: c, title: c })),
  ];
  return (
    <Combobox
      value={value}
      label={roleLabel(node, spec.name) ?? spec.label}
      options={options}
      placeholder={auto ?? empty}
      hint={value === "" && auto ? "auto" : undefined}
      testid={`field-${spec.name}`}
      invalid={p.invalid}
      describedBy={(p.common as { "aria-describedby"?: string })["aria-describedby"]}
      onChange={(text) => setRole(node.id, spec.name, text.trim() === "" ? null : text)}
    />
  );
}

/** What leaving a column field empty means. */
function nothing(auto: string | null, left: string | null, empty: string | undefined): string {
  if (auto) return `Choose for me: ${auto}`;
  if (left) return left.charAt(0).toUpperCase() + left.slice(1);
  return empty ? `Choose for me: ${empty}` : "Choose for me";
}
