/** The words for screen readers: a log that grows by what happens, and keeps the last of it. */
import { useEffect, useState } from "react";
import { Announcer, type Heard } from "../logic/announce";
import { headline } from "../logic/audit";
import { useSession } from "../state/session";
import type { State } from "../state/store";
import { standing } from "./gate";
import { allProblems } from "./ProblemsCounter";

const GATHER_MS = 250;
const KEPT = 6;

interface Line {
  id: number;
  text: string;
}

export function Live() {
  const { store } = useSession();
  const [lines, setLines] = useState<Line[]>([]);
  useEffect(() => {
    const announcer = new Announcer();
    let timer: ReturnType<typeof setTimeout> | null = null;
    let id = 0;
    const look = () => {
      timer = null;
      const said = announcer.hear(heard(store.getState()), Date.now());
      if (said.length === 0) return;
      id += 1;
      const text = said.join(" ");
      setLines((before) => [...before, { id, text }].slice(-KEPT));
    };
    look();
    const unsubscribe = store.subscribe((now, before) => {
      // Each edit has words of its own; what Python tells is gathered.
      if (now.history.present !== before.history.present) look();
      else timer ??= setTimeout(look, GATHER_MS);
    });
    return () => {
      unsubscribe();
      if (timer) clearTimeout(timer);
    };
  }, [store]);
  return (
    <div className="em-hidden" role="log" aria-label="What happened" data-testid="live">
      {lines.map((line) => (
        <p key={line.id}>{line.text}</p>
      ))}
    </div>
  );
}

function heard(s: State): Heard {
  const { commit, lostSince, traits } = s;
  const trouble = lostSince !== null || commit.failure !== null || commit.conflict !== null;
  return {
    project: s.projectId,
    name: traits.projects.items.find((p) => p.id === s.projectId)?.name ?? "",
    history: s.history,
    runs: traits.runs.items,
    problems: allProblems(s),
    verdicts: verdicts(s),
    lost: lostSince !== null,
    unsaved: trouble ? commit.unsaved : 0,
    held: Boolean((traits.document as { held?: unknown }).held),
    mirror: traits.projects.keeping?.mirror?.problem ?? null,
  };
}

function verdicts(s: State): Heard["verdicts"] {
  const { audits } = s.traits.problems;
  const nodes = s.history.present.nodes.filter((n) => n.type === "finetune");
  return Object.fromEntries(
    nodes.map((n) => {
      const sign = audits[n.id]?.state === "done" ? standing(s, n) : null;
      const [word] = headline(audits[n.id], sign, "");
      return [n.id, { sign, words: word }];
    }),
  );
}
