/** The empty canvas: what a run needs, and three ways to get it. */

import { TASKS } from "../logic/fields";
import { shortSource } from "../logic/format";
import { titleOf } from "../logic/ports";
import { useActions, useStudio } from "../state/session";
import { useAddNode } from "./add";
import { Icon } from "./icons";
import { Button } from "./parts";

export function Empty() {
  const actions = useActions();
  const add = useAddNode();
  return (
    <div className="em-empty">
      <div className="em-ghosts">
        <div className="em-ghost-column">
          <Ghost type="model" onClick={() => add("model")} />
          <Ghost type="dataset" onClick={() => add("dataset")} />
        </div>
        <svg
          className="em-ghost-lines"
          viewBox="0 0 100 88"
          preserveAspectRatio="none"
          aria-hidden="true"
        >
          <path d="M0 18C50 18 50 38 100 38M0 70C50 70 50 52 100 52" />
        </svg>
        <Ghost type="finetune" onClick={() => add("finetune")} />
      </div>
      <h2>A model and a dataset make a run</h2>
      <p>Add the three nodes, or start from a template that trains as it is.</p>
      <Button kind="primary" testid="add-three" onClick={actions.addThree}>
        Add all three, connected
      </Button>
      <Templates />
    </div>
  );
}

function Ghost({ type, onClick }: { type: "model" | "dataset" | "finetune"; onClick: () => void }) {
  return (
    <button type="button" className="em-ghost" onClick={onClick}>
      <span className={`em-kind-${type}`}>
        <Icon name={type} size={14} />
      </span>
      <span className="em-grow">{titleOf(type)}</span>
      <Icon name="plus" size={14} />
    </button>
  );
}

/** Only what this version can train; "first" is the connected first project. */
function Templates() {
  const { projectNew } = useActions();
  const task = useStudio((s) => s.traits.catalog.tasks[0] ?? "generation");
  const model = useStudio((s) => s.traits.catalog.models[0]?.source ?? "");
  const dataset = useStudio((s) => s.traits.catalog.datasets[0]?.source ?? "");
  const name = TASKS.find(([id]) => id === task)?.[1] ?? task;
  return (
    <section className="em-templates" aria-label="Templates">
      <span>Templates</span>
      <button
        type="button"
        className="em-template"
        data-testid="project-template"
        data-template="first"
        onClick={() => void projectNew("first")}
      >
        <b>{name}</b>
        {model && dataset && (
          <small>
            {shortSource(model)} on {shortSource(dataset)}, offline
          </small>
        )}
      </button>
    </section>
  );
}
