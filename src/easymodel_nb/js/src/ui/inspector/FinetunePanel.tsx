/** A Finetuning node at normal size: the seven fields, the gate, the rest folded, code, runs. */
import { GROUPS, NODE_FIELDS, roleField, type Field as Spec } from "../../logic/fields";
import { count } from "../../logic/format";
import { chosen } from "../../logic/plan";
import { roleFields } from "../../logic/roles";
import type { FinetuneData, Node } from "../../protocol";
import { DEFAULTS } from "../../protocol";
import { useActions, useStudio } from "../../state/session";
import { Field } from "../Field";
import { useAudit } from "../gate";
import { Icon } from "../icons";
import { useInputFacts } from "../nodes/FinetuneFields";
import { ProblemLine } from "../Problem";
import { useProblems } from "../useProblems";
import { AuditSection } from "./audit/AuditSection";
import { Code } from "./Code";
import { Runs } from "./Runs";
import { Section } from "./Section";
import { Sweep } from "./Sweep";

export function FinetunePanel({ node }: { node: Node }) {
  const problems = useProblems(node.id);
  const facts = useInputFacts(node.id);
  const total = facts?.total_rows;
  const pair = roleFields(node, facts?.roles ?? {});
  const front = new Set([...NODE_FIELDS, ...pair].map((f) => f.name));
  const named = new Set(["sweep", ...front, ...GROUPS.flatMap((g) => g.fields.map((f) => f.name))]);
  return (
    <>
      {problems
        .filter((p) => !named.has(p.field ?? ""))
        .map((p) => (
          <ProblemLine key={p.code + p.message} problem={p} />
        ))}
      <Section title="Training">
        {NODE_FIELDS.map((spec) => (
          <Field
            key={spec.name}
            node={node}
            spec={spec}
            problems={problems}
            {...(spec.name === "subset_size" && total ? { unit: `of ${count(total)} rows` } : {})}
          />
        ))}
        {pair.map((role) => (
          <Field
            key={role.name}
            node={node}
            spec={roleField(role)}
            problems={problems}
            facts={facts}
          />
        ))}
      </Section>
      <AuditSection node={node} />
      <Sweep node={node} problems={problems} />
      <Advanced node={node} front={front} />
      <Code node={node.id} />
      <Runs node={node} />
    </>
  );
}

/** Everything else, folded away until it is asked for or something is wrong with it. */
function Advanced({ node, front }: { node: Node; front: Set<string> }) {
  const { setAdvanced } = useActions();
  const problems = useProblems(node.id);
  const facts = useInputFacts(node.id);
  const audit = useAudit(node.id);
  const unfolded = useStudio((s) => s.advanced);
  const gpus = useStudio((s) => s.traits.catalog.gpus ?? 1);
  const data = { ...DEFAULTS.finetune, ...node.data } as FinetuneData;
  const wrong = (f: Spec) => problems.some((p) => p.field === f.name);
  const visible = (f: Spec) => !front.has(f.name) && (!f.when || f.when(data, gpus) || wrong(f));
  const groups = GROUPS.map((g) => ({ ...g, fields: g.fields.filter(visible) }));
  const open = unfolded || groups.some((g) => g.fields.some(wrong));
  return (
    <section aria-label="Advanced" data-part="advanced">
      <button
        type="button"
        className="em-fold"
        data-testid="advanced-fold"
        aria-expanded={open}
        onClick={() => setAdvanced(!unfolded)}
      >
        <Icon name="right" size={12} />
        Advanced
      </button>
      {open && (
        <div className="em-fold-body">
          {groups.map((group) => (
            <Section key={group.title} title={group.title}>
              {group.fields.map((spec) => (
                <Field
                  key={spec.name}
                  node={node}
                  spec={chosen(spec, audit?.choices ?? [])}
                  problems={problems}
                  {...((spec.kind === "column" || spec.kind === "lines") && { facts })}
                />
              ))}
            </Section>
          ))}
        </div>
      )}
    </section>
  );
}
