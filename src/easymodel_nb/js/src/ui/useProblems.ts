/** The problems of one node; renders again only when they change. */
import { useRef } from "react";
import { same } from "../logic/graph";
import { failures, problemsOf } from "../logic/runs";
import type { Problem } from "../protocol";
import { useStudio } from "../state/session";

export function useProblems(node: string): Problem[] {
  const kept = useRef<Problem[]>([]);
  return useStudio((s) => {
    const { problems, runs, catalog } = s.traits;
    const found = problemsOf(node, problems.items, s.refused, failures(runs.items, s.mended));
    const source = catalog.facts[node]?.problem;
    if (source && !found.some((p) => p.code === source.code)) {
      found.push({ ...source, node, field: source.field ?? "source" });
    }
    if (!same(found, kept.current)) kept.current = found;
    return kept.current;
  });
}
