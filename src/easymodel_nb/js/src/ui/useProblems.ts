/** The problems of one node; renders again only when they change. */
import { useRef } from "react";
import { forbidden } from "../logic/audit";
import { same } from "../logic/graph";
import { groups, once, onceOfTwo } from "../logic/once";
import { failures, problemsOf } from "../logic/runs";
import type { Problem, RunCard } from "../protocol";
import { useStudio } from "../state/session";

const byNode = once((problems: readonly Problem[]) => groups(problems, (p) => p.node));
const failed = onceOfTwo((runs: RunCard[], mended: string[]) => failures(runs, mended));
const NONE: Problem[] = [];

export function useProblems(node: string): Problem[] {
  const kept = useRef<Problem[]>([]);
  return useStudio((s) => {
    const { problems, runs, catalog } = s.traits;
    const of = (list: readonly Problem[]) => byNode(list).get(node) ?? NONE;
    const checked = of(problems.items);
    // What the gate found stands in its own node's strip; here it is about what flows in.
    const fed = problems.audits[node] ? NONE : of(forbidden(problems.audits));
    const met = of(failed(runs.items, s.mended));
    const source = catalog.facts[node]?.problem;
    const told = problemsOf(node, [...checked, ...fed], of(s.refused), met);
    // The look at the source says it best, with names that may have been meant.
    const found = source ? told.filter((p) => p.code !== source.code) : told;
    if (source) found.push({ ...source, node, field: source.field ?? "source" });
    if (!same(found, kept.current)) kept.current = found;
    return kept.current;
  });
}
