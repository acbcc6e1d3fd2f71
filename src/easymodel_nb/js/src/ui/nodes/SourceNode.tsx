/** Model and Dataset: where it comes from, two facts, and for data its first rows. */
import type { NodeProps } from "@xyflow/react";
import { memo } from "react";
import { show } from "../../logic/fields";
import { shortSource } from "../../logic/format";
import { fieldValue } from "../../logic/graph";
import { marks } from "../../logic/roles";
import { nodeFed } from "../../logic/sources";
import { useActions, useStudio } from "../../state/session";
import { ProblemLine } from "../Problem";
import { useProblems } from "../useProblems";
import { ConfigField } from "./ConfigField";
import { NodeFrame, sameId, useNode, useOpen, Wrong } from "./NodeFrame";
import { Port } from "./Port";
import { Facts, useFacts } from "./SourceFacts";
import { type Kind, SourceField } from "./SourceField";
import { useUpload } from "./UploadLine";

export const ModelNode = memo(function ModelNode({ id }: NodeProps) {
  return <SourceNode id={id} kind="model" />;
}, sameId);
export const DatasetNode = memo(function DatasetNode({ id }: NodeProps) {
  return <SourceNode id={id} kind="dataset" />;
}, sameId);

function SourceNode({ id, kind }: { id: string; kind: Kind }) {
  const node = useNode(id);
  const open = useOpen(id);
  const inspected = useStudio((s) => s.inspector === id);
  const upload = useUpload(id);
  const problems = useProblems(id).filter((p) => !upload || p.code !== "source.empty");
  const source = node ? show(fieldValue(node, "source")) : "";
  const facts = useFacts(id, source);
  if (!node) return null;
  const folded = upload
    ? `${upload.phase === "failed" ? "Not uploaded" : "Uploading"}: ${upload.name}`
    : source
      ? shortSource(source)
      : "No source yet";
  const several = (facts?.configs.length ?? 0) > 1;
  const failing = problems.some((p) => p.severity === "error");
  return (
    <NodeFrame
      node={node}
      icon={kind}
      className={`em-source${failing ? " em-failing" : ""}${open ? "" : " em-closed"}`}
      word={open ? null : <Wrong problems={problems} />}
    >
      {open && !inspected ? (
        <div className="em-body">
          <SourceField node={node} kind={kind} />
          <Facts id={id} source={source} />
          {several && <ConfigField node={node} facts={facts} problems={problems} />}
          {kind === "dataset" && <Preview id={id} source={source} />}
          {problems
            .filter((p) => p.field !== "source" && !(several && p.field === "config"))
            .map((p) => (
              <ProblemLine key={p.code + p.message} problem={p} />
            ))}
        </div>
      ) : (
        <p className="em-folded em-ellipsis" title={source || undefined}>
          {folded}
        </p>
      )}
      <Port node={id} side="out" name={kind} type={kind} top={20} />
    </NodeFrame>
  );
}

const PREVIEW_ROWS = 2;
const PREVIEW_COLUMNS = 2;

/** Two rows of the columns that are learned; a press opens the inspector. */
function Preview({ id, source }: { id: string; source: string }) {
  const facts = useFacts(id, source);
  const fed = useStudio((s) => nodeFed(s.history.present, id));
  const { inspect } = useActions();
  if (!facts || facts.rows.length === 0) return null;
  const mapped = oneOfEach(marks(fed, facts));
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
                <td key={i} dir="auto">
                  {row[i]}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </button>
  );
}

/** The first column of each role: a prompt made of several leaves room for the target. */
function oneOfEach(roles: Map<string, string[]>): string[] {
  const seen = new Set<string>();
  return [...roles].flatMap(([column, [role = ""]]) => {
    if (seen.has(role)) return [];
    seen.add(role);
    return [column];
  });
}
