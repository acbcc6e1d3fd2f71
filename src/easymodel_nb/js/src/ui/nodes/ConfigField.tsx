/** Which configuration of a dataset is trained on: a choice where there are several. */
import { show } from "../../logic/fields";
import { fieldValue } from "../../logic/graph";
import type { Node, Problem, SourceFacts } from "../../protocol";
import { useActions } from "../../state/session";
import { Combobox } from "../Combobox";
import { FieldProblems } from "../Problem";

interface Props {
  node: Node;
  facts: SourceFacts | null;
  problems: Problem[];
}

export function ConfigField({ node, facts, problems }: Props) {
  const { setField } = useActions();
  const mine = problems.filter((p) => p.field === "config");
  const at = `${node.id}-config-problems`;
  const must = mine.some((p) => p.severity === "error");
  return (
    <div className="em-field" data-kind="column" data-invalid={must || undefined}>
      <span className="em-label">Configuration</span>
      <div className="em-control nodrag nokey">
        <Combobox
          value={show(fieldValue(node, "config"))}
          label="Configuration"
          options={(facts?.configs ?? []).map((name) => ({ value: name, title: name }))}
          placeholder={must ? "choose one" : "auto"}
          testid="field-config"
          invalid={must}
          describedBy={mine.length > 0 ? at : undefined}
          onChange={(text, typing) => setField(node.id, { config: text.trim() || null }, typing)}
        />
      </div>
      <FieldProblems id={at} problems={mine} />
    </div>
  );
}
