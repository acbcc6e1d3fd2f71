/** Model and Dataset: where it comes from, two facts, and for data its first rows. */
import type { NodeProps } from "@xyflow/react";
import { memo } from "react";
import { show } from "../../logic/fields";
import { shortSource } from "../../logic/format";
import { fieldValue } from "../../logic/graph";
import type { Node, SourceFacts } from "../../protocol";
import { useActions, useStudio } from "../../state/session";
import { Combobox } from "../Combobox";
import { Icon } from "../icons";
import { FieldProblems, ProblemLine } from "../Problem";
import { useProblems } from "../useProblems";
import { NodeFrame, useNode, useOpen } from "./NodeFrame";
import { Port } from "./Port";

type Kind = "model" | "dataset";
const HINTS = {
  model: "Hub id, folder, or builtin:",
  dataset: "Hub id, file, or builtin:",
};

export const ModelNode = memo(function ModelNode({ id }: NodeProps) {
  return <SourceNode id={id} kind="model" />;
});
export const DatasetNode = memo(function DatasetNode({ id }: NodeProps) {
  return <SourceNode id={id} kind="dataset" />;
});

function SourceNode({ id, kind }: { id: string; kind: Kind }) {
  const node = useNode(id);
  const open = useOpen(id);
  const inspected = useStudio((s) => s.inspector === id);
  const problems = useProblems(id);
  if (!node) return null;
  const source = show(fieldValue(node, "source"));
  const failing = problems.some((p) => p.severity === "error");
  return (
    <NodeFrame
      node={node}
      icon={kind}
      className={`em-source${failing ? " em-failing" : ""}${open ? "" : " em-closed"}`}
    >
      {open && !inspected ? (
        <div className="em-body">
          <SourceField node={node} kind={kind} />
          <Facts id={id} source={source} />
          {kind === "dataset" && <Preview id={id} />}
          {problems
            .filter((p) => p.field !== "source")
            .map((p) => (
              <ProblemLine key={p.code + p.message} problem={p} />
            ))}
        </div>
      ) : (
        <p className="em-folded em-ellipsis" title={source}>
          {source ? shortSource(source) : "No source yet"}
        </p>
      )}
      <Port node={id} side="out" name={kind} type={kind} top={20} />
    </NodeFrame>
  );
}

export function SourceField({ node, kind }: { node: Node; kind: Kind }) {
  const { setField } = useActions();
  const options = useStudio((s) =>
    kind === "model" ? s.traits.catalog.models : s.traits.catalog.datasets,
  );
  const problems = useProblems(node.id).filter((p) => p.field === "source");
  const at = `${node.id}-source-problems`;
  return (
    <div className="em-field em-field-wide">
      <span className="em-label">Source</span>
      <div className="em-control nodrag nokey">
        <Combobox
          value={show(fieldValue(node, "source"))}
          label="Source"
          placeholder={HINTS[kind]}
          options={options.map((o) => ({ value: o.source, title: o.title, detail: o.detail }))}
          testid="field-source"
          invalid={problems.some((p) => p.severity === "error")}
          describedBy={problems.length > 0 ? at : undefined}
          onChange={(source, typing) => setField(node.id, { source }, typing)}
        />
      </div>
      <FieldProblems id={at} problems={problems} />
    </div>
  );
}

/** The facts, if they are about the source that stands in the field now. */
export function useFacts(id: string, source: string): SourceFacts | null {
  const facts = useStudio((s) => s.traits.catalog.facts[id] ?? null);
  return facts && facts.source === source.trim() ? facts : null;
}

export function Facts({ id, source }: { id: string; source: string }) {
  const facts = useFacts(id, source);
  if (!source || !facts || facts.state === "unknown") return null;
  if (facts.state === "checking")
    return <p className="em-facts em-muted">Looking at {shortSource(source)}</p>;
  if (facts.lines.length === 0) return null;
  const ok = facts.state === "ok";
  return (
    <div className="em-facts">
      <span className={ok ? "em-ok-text" : "em-warn-text"}>
        <Icon name={ok ? "check" : "warn"} size={14} />
      </span>
      <div className="em-grow">
        {facts.lines.slice(0, 2).map((line) => (
          <p key={line} className="em-ellipsis" title={line}>
            {line}
          </p>
        ))}
      </div>
    </div>
  );
}

const PREVIEW_ROWS = 2;
const PREVIEW_COLUMNS = 2;

/** Two rows of the columns that are learned; a press opens the inspector. */
function Preview({ id }: { id: string }) {
  const facts = useStudio((s) => s.traits.catalog.facts[id] ?? null);
  const { inspect } = useActions();
  if (!facts || facts.rows.length === 0) return null;
  const mapped = Object.values(facts.roles).filter((c) => facts.columns.includes(c));
  const columns = [...new Set([...mapped, ...facts.columns])].slice(0, PREVIEW_COLUMNS);
  const indices = columns.map((c) => facts.columns.indexOf(c));
  return (
    <button
      type="button"
      className="em-preview nodrag"
      aria-label="Look at the data"
      onClick={(e) => {
        e.stopPropagation();
        inspect(id);
      }}
    >
      <table>
        <thead>
          <tr>
            {columns.map((c) => (
              <th key={c}>{c}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {facts.rows.slice(0, PREVIEW_ROWS).map((row, r) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other identity
            <tr key={r}>
              {indices.map((i) => (
                <td key={i}>{row[i]}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </button>
  );
}
