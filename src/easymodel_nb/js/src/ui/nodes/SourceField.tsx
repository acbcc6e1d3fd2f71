/** Where a model or a dataset comes from: typed, chosen from a list, or uploaded. */
import { useState } from "react";
import { show } from "../../logic/fields";
import { fieldValue } from "../../logic/graph";
import { sourceOptions, taskFed } from "../../logic/sources";
import type { Node } from "../../protocol";
import { useActions, useStudio } from "../../state/session";
import { Combobox } from "../Combobox";
import { FieldProblems } from "../Problem";
import { useProblems } from "../useProblems";
import { UploadButton, UploadLine, useUpload } from "./UploadLine";
import { useSuggestions } from "./useSuggestions";

export type Kind = "model" | "dataset";
const HINTS = {
  model: "Hub id, folder, or builtin:",
  dataset: "Hub id, file, or builtin:",
};

export function SourceField({ node, kind }: { node: Node; kind: Kind }) {
  const { setSource, lookAtVariables } = useActions();
  const models = useStudio((s) => s.traits.catalog.models);
  const datasets = useStudio((s) => s.traits.catalog.datasets);
  const variables = useStudio((s) => s.traits.catalog.variables);
  const task = useStudio((s) => taskFed(s.history.present, node.id));
  const [query, setQuery] = useState<string | null>(null);
  const { items, checking, offline } = useSuggestions(kind, query, task);
  const upload = useUpload(node.id);
  const problems = useProblems(node.id).filter(
    (p) => p.field === "source" && !(upload && p.code === "source.empty"),
  );
  const at = `${node.id}-source-problems`;
  return (
    <div className="em-field em-field-wide">
      <span className="em-label">Source</span>
      <div className="em-control nodrag nokey">
        <Combobox
          value={show(fieldValue(node, "source"))}
          label="Source"
          placeholder={HINTS[kind]}
          options={sourceOptions(kind, { models, datasets, variables }, task, items)}
          foot={offline ?? (checking ? "Looking for more" : null)}
          testid="field-source"
          tail
          invalid={problems.some((p) => p.severity === "error")}
          describedBy={problems.length > 0 ? at : undefined}
          onChange={(source, typing) => setSource(node.id, source, typing)}
          onQuery={setQuery}
          {...(kind === "dataset" && { onFocus: lookAtVariables })}
        />
        {kind === "dataset" && <UploadButton node={node.id} />}
      </div>
      {upload && <UploadLine node={node.id} upload={upload} />}
      <FieldProblems id={at} problems={problems} />
    </div>
  );
}
