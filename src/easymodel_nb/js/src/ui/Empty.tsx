/** The empty canvas: what a run needs, and three ways to get it. */
import { titleOf } from "../logic/ports";
import type { TemplateOption } from "../protocol";
import { useActions, useStudio } from "../state/session";
import { useAddNode } from "./add";
import { Icon } from "./icons";
import { Button } from "./parts";

export function Empty() {
  const actions = useActions();
  const add = useAddNode();
  return (
    <div className="em-empty nowheel">
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
      <p>
        Add the three nodes, drop a file with your data here, or start from a template that trains
        as it is.
      </p>
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

/** Two a task; each is a project that trains as it is. */
function Templates() {
  const all = useStudio((s) => s.traits.catalog.templates);
  return (
    <>
      <Group title="Templates" templates={all.filter((t) => !t.hub)} />
      <Group
        title="From the Hub: model and data are downloaded first"
        templates={all.filter((t) => t.hub)}
      />
    </>
  );
}

function Group({ title, templates }: { title: string; templates: TemplateOption[] }) {
  const { projectNew } = useActions();
  if (templates.length === 0) return null;
  return (
    <section className="em-templates" aria-label={title}>
      <span>{title}</span>
      <div className="em-template-grid">
        {templates.map((t) => (
          <button
            key={t.name}
            type="button"
            className="em-template"
            data-testid="template"
            data-template={t.name}
            title={t.detail}
            onClick={() => void projectNew(t.name)}
          >
            <b>{t.title}</b>
            <small>{t.detail}</small>
          </button>
        ))}
      </div>
    </section>
  );
}
