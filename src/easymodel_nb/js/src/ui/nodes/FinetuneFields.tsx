/** The seven fields of an open Finetuning node, and the line to everything else. */
import { advanced, NODE_FIELDS, roleField } from "../../logic/fields";
import { count } from "../../logic/format";
import { inputOf } from "../../logic/graph";
import { roleFields } from "../../logic/roles";
import type { Node, Problem, SourceFacts } from "../../protocol";
import { useActions, useStudio } from "../../state/session";
import { Field } from "../Field";
import { Icon } from "../icons";
import { ProblemLine } from "../Problem";

/** What is known of the data that flows into a node. */
export function useInputFacts(id: string): SourceFacts | null {
  return useStudio((s) => {
    const source = inputOf(s.history.present, id, "dataset");
    return (source && s.traits.catalog.facts[source.id]) ?? null;
  });
}

export function FinetuneFields({ node, problems }: { node: Node; problems: Problem[] }) {
  const { inspect, setUnfolded } = useActions();
  const facts = useInputFacts(node.id);
  const roles = facts?.roles ?? {};
  const total = facts?.total_rows;
  const shown = new Set([...NODE_FIELDS.map((f) => f.name), "model", "dataset"]);
  const pair = roleFields(node, roles);
  for (const role of pair) shown.add(role.name);
  const elsewhere = problems.filter((p) => p.field !== null && !shown.has(p.field));
  return (
    <div className="em-fields">
      {NODE_FIELDS.map((spec) => (
        <Field
          key={spec.name}
          node={node}
          spec={spec}
          problems={problems}
          {...(spec.name === "subset_size" && total ? { unit: `of ${count(total)} rows` } : {})}
        />
      ))}
      {pair.map((role, i) => (
        <Field
          key={i === 0 ? "first" : "second"}
          node={node}
          spec={roleField(role)}
          problems={problems}
          facts={facts}
        />
      ))}
      <button
        type="button"
        className="em-advanced nodrag"
        data-testid="advanced"
        onClick={(e) => {
          e.stopPropagation();
          inspect(node.id, "advanced");
          setUnfolded(node.id, false);
        }}
      >
        <Icon name="right" size={12} />
        <span>Advanced</span>
        <span className="em-ellipsis em-grow em-advanced-values">{advanced(node)}</span>
      </button>
      {elsewhere.map((p) => (
        <ProblemLine key={p.code + p.message} problem={p} />
      ))}
    </div>
  );
}
