/** The problems of one node; renders again only when they change. */
import { useRef } from "react";
import { forbidden } from "../logic/audit";
import { same } from "../logic/graph";
import { failures, problemsOf } from "../logic/runs";
import type { Problem } from "../protocol";
import { useStudio } from "../state/session";

export function useProblems(node: string): Problem[] {
  const kept = useRef<Problem[]>([]);
  return useStudio((s) => {
    const { problems, runs, catalog } = s.traits;
    // What the gate found stands in its own node's strip; here it is about what flows in.
    const checked = [
      ...problems.items,
      ...(problems.audits[node] ? [] : forbidden(problems.audits)),
    ];
    const source = catalog.facts[node]?.problem;
    const told = problemsOf(node, checked, s.refused, failures(runs.items, s.mended));
    // The look at the source says it best, with names that may have been meant.
    const found = source ? told.filter((p) => p.code !== source.code) : told;
    if (source) found.push({ ...source, node, field: source.field ?? "source" });
    if (!same(found, kept.current)) kept.current = found;
    return kept.current;
  });
}
