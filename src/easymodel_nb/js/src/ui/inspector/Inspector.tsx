/** The drawer that holds at normal size what a node cannot. */
import { useEffect, useRef } from "react";
import { isFormat } from "../../logic/dataset";
import { DATASET_FIELDS, MODEL_FIELDS, show } from "../../logic/fields";
import { fieldValue } from "../../logic/graph";
import { titleOf } from "../../logic/ports";
import type { Node } from "../../protocol";
import { useActions, useStudio } from "../../state/session";
import { Field } from "../Field";
import { useBorrowedFocus } from "../focus";
import { Icon, type IconName } from "../icons";
import { ConfigField } from "../nodes/ConfigField";
import { Details, Facts, useFacts } from "../nodes/SourceFacts";
import { SourceField } from "../nodes/SourceField";
import { ProblemLine } from "../Problem";
import { Button } from "../parts";
import { useProblems } from "../useProblems";
import { Consents } from "./Consents";
import { DataTable } from "./DataTable";
import { FileFormat } from "./FileFormat";
import { FinetunePanel } from "./FinetunePanel";
import { OwnCode } from "./OwnCode";
import { Section } from "./Section";
import { SPLIT_FIELDS, Splits } from "./Splits";

export function Inspector() {
  const id = useStudio((s) => s.inspector);
  const node = useStudio((s) => s.history.present.nodes.find((n) => n.id === s.inspector));
  if (!id || !node) return null;
  return <Panel key={id} node={node} />;
}

function Panel({ node }: { node: Node }) {
  const { inspect } = useActions();
  const root = useRef<HTMLElement>(null);
  useBorrowedFocus(root, `.react-flow__node[data-id="${CSS.escape(node.id)}"]`);
  const place = useStudio((s) => s.place);
  const body = useRef<HTMLDivElement>(null);
  // Not scrollIntoView, which would move the notebook as well.
  useEffect(() => {
    const to = place && body.current?.querySelector<HTMLElement>(`[data-part="${place.part}"]`);
    if (!to || !body.current) return;
    const by = to.getBoundingClientRect().top - body.current.getBoundingClientRect().top;
    body.current.scrollTop += by - 8;
  }, [place]);
  const icon = (
    ["model", "dataset", "finetune", "note"].includes(node.type) ? node.type : "unknown"
  ) as IconName;
  return (
    <aside
      ref={root}
      className="em-inspector nokey"
      data-testid="node-panel"
      data-node-id={node.id}
      aria-label={`Details of ${node.label ?? titleOf(node.type)}`}
      tabIndex={-1}
      onKeyDown={(e) => {
        if (e.key === "Escape" && !e.defaultPrevented) inspect(null);
      }}
    >
      <header className="em-inspector-head">
        <span className={`em-kind-${icon}`}>
          <Icon name={icon} size={14} />
        </span>
        <b className="em-ellipsis em-grow" dir="auto">
          {node.label ?? titleOf(node.type)}
        </b>
        <Button
          icon="cross"
          kind="quiet"
          label="Close the details"
          testid="node-panel-close"
          onClick={() => inspect(null)}
        />
      </header>
      <div ref={body} className="em-inspector-body">
        {node.type === "finetune" && <FinetunePanel node={node} />}
        {(node.type === "model" || node.type === "dataset") && (
          <SourcePanel node={node} kind={node.type} />
        )}
        {(node.type === "note" || icon === "unknown") && (
          <pre className="em-trace">{JSON.stringify(node.data, null, 2)}</pre>
        )}
      </div>
    </aside>
  );
}

function SourcePanel({ node, kind }: { node: Node; kind: "model" | "dataset" }) {
  const problems = useProblems(node.id);
  const source = show(fieldValue(node, "source"));
  const facts = useFacts(node.id, source);
  const fields = kind === "model" ? MODEL_FIELDS : DATASET_FIELDS;
  const placed = new Set(["source", ...fields.map((f) => f.name)]);
  const loose = problems.filter((p) => !placed.has(p.field ?? "") && !inDataset(kind, p.field));
  const version = (
    <Section title="Version">
      {kind === "dataset" && <ConfigField node={node} facts={facts} problems={problems} />}
      {fields
        .filter((spec) => spec.name !== "config")
        .map((spec) => (
          <Field key={spec.name} node={node} spec={spec} problems={problems} />
        ))}
    </Section>
  );
  return (
    <>
      <SourceField node={node} kind={kind} />
      <Facts id={node.id} source={source} />
      {facts?.code && <OwnCode key={facts.code.digest} code={facts.code} />}
      <Notes notes={facts?.notes ?? []} />
      {loose.map((p) => (
        <ProblemLine key={p.code + p.message} problem={p} />
      ))}
      {kind === "dataset" && (
        <>
          <DataTable id={node.id} facts={facts} />
          <FileFormat node={node} facts={facts} problems={problems} />
          <Splits node={node} facts={facts} problems={problems} />
        </>
      )}
      {(kind === "model" || isHub(source)) && version}
      <Details facts={facts} />
      {kind === "model" && <Consents />}
    </>
  );
}

/** Files, variables and what is built in have no configurations and revisions. */
const isHub = (source: string) =>
  !/^(builtin:|variable:|[/.~\\]|[A-Za-z]:\\)/.test(source) || source.startsWith("https:");
const inDataset = (kind: string, field: string | null) =>
  kind === "dataset" && field !== null && (isFormat(field) || SPLIT_FIELDS.includes(field));

function Notes({ notes }: { notes: string[] }) {
  if (notes.length === 0) return null;
  return (
    <ul className="em-notes" data-testid="notes">
      {notes.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  );
}
