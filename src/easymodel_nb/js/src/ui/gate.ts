/** Where a node stands with the check and the gate together. */
import { accepted, headline, type Sign, verdict } from "../logic/audit";
import { blocks } from "../logic/runs";
import type { Audit, Node } from "../protocol";
import { useStudio } from "../state/session";
import type { State } from "../state/store";

export const useAudit = (node: string): Audit | undefined =>
  useStudio((s) => s.traits.problems.audits[node]);

/**
 * Red, amber or green; null while nothing is decided. While an edit of what is trained is under
 * way both are of the past, and Python decides.
 */
export function standing(s: State, node: Node): Sign | null {
  if (s.commit.unchecked) return null;
  const { items, audits } = s.traits.problems;
  if (blocks(items, s.history.present, node.id)) return "red";
  return verdict(audits[node.id], accepted(node));
}

/** The verdict in words: its sign, its word, what stands behind it. */
export function useVerdict(node: Node): [sign: Sign | null, word: string, rest: string] {
  const audit = useAudit(node.id);
  const device = useStudio((s) => s.traits.catalog.device);
  const sign = useStudio((s) => standing(s, node));
  const lost = useStudio((s) => s.lostSince !== null);
  if (lost && sign === null) return [null, "Not checked.", "The kernel does not answer."];
  return [sign, ...headline(audit, sign, device)];
}
