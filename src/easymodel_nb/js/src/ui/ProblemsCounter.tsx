/** "No problems", or how many: each press shows the next one on its node. */
import { useReactFlow } from "@xyflow/react";
import { useRef } from "react";
import { forbidden } from "../logic/audit";
import { failures, unique } from "../logic/runs";
import { hint, isMac } from "../logic/shortcuts";
import type { Problem } from "../protocol";
import { useActions, useStudio } from "../state/session";
import type { State } from "../state/store";
import { Icon } from "./icons";
import { glide } from "./motion";
import { useView } from "./view";

const mac = isMac(navigator.platform);

export function allProblems(s: State): Problem[] {
  const { problems, runs, catalog } = s.traits;
  const ofSources = Object.entries(catalog.facts).flatMap(([node, facts]) =>
    facts.problem ? [{ ...facts.problem, node }] : [],
  );
  const found = [
    ...problems.items,
    ...forbidden(problems.audits),
    ...s.refused,
    ...failures(runs.items, s.mended),
  ];
  const told = new Set(found.map((p) => `${p.code}|${p.node}`));
  const all = unique([...found, ...ofSources.filter((p) => !told.has(`${p.code}|${p.node}`))]);
  return all.filter((p) => p.severity === "error");
}

export function ProblemsCounter() {
  const lost = useStudio((s) => s.lostSince !== null);
  const count = useStudio((s) => allProblems(s).length);
  const at = useRef(0);
  const flow = useReactFlow();
  const { el } = useView();
  const actions = useActions();
  const problems = useStudio((s) => JSON.stringify(allProblems(s).map((p) => [p.node, p.message])));
  if (lost) {
    return (
      <span className="em-problems em-muted" title="Not checked: the kernel does not answer">
        <Icon name="unknown" size={14} />
        <span className="em-problems-word">Not checked</span>
      </span>
    );
  }
  if (count === 0) {
    return (
      <span className="em-problems em-muted" data-testid="problems-none">
        <span className="em-ok-text">
          <Icon name="check" size={14} />
        </span>
        <span className="em-problems-word">No problems</span>
      </span>
    );
  }
  const walk = () => {
    const list = JSON.parse(problems) as [string | null, string][];
    const [node, message] = list[at.current % list.length] ?? [null, ""];
    at.current += 1;
    if (!node || !flow.getNode(node)) {
      actions.say(message);
      return;
    }
    void flow.fitView({ nodes: [{ id: node }], duration: glide(), maxZoom: 1, minZoom: 0.72 });
    el.querySelector<HTMLElement>(`[data-node-id="${CSS.escape(node)}"]`)?.focus({
      preventScroll: true,
    });
  };
  return (
    <button
      type="button"
      className="em-problems em-problems-some"
      data-testid="problems"
      title={`Show the next problem (${hint("problem", mac)})`}
      onClick={walk}
    >
      <Icon name="alert" size={14} />
      <span>
        {count}
        <span className="em-problems-word">{count === 1 ? " problem" : " problems"}</span>
      </span>
      <Icon name="right" size={12} />
    </button>
  );
}
