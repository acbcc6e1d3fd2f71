/** The project list. */
import { useEffect, useState } from "react";
import { ago, initials, percent } from "../logic/format";
import type { ProjectItem } from "../protocol";
import { useActions, useStudio } from "../state/session";
import { Ring } from "./icons";
import { Button, InlineEdit, Menu } from "./parts";

const SEARCH_FROM = 8;

export function Projects({ rail }: { rail: boolean }) {
  const items = useStudio((s) => s.traits.projects.items);
  const { projectNew } = useActions();
  const [query, setQuery] = useState("");
  const found = items.filter((p) => p.name.toLowerCase().includes(query.trim().toLowerCase()));
  const templates = useStudio((s) => s.traits.catalog.templates);
  const add = (
    <>
      {templates.length > 0 && (
        <Menu
          label="New project from a template"
          icon="template"
          testid="project-template"
          items={templates.map((t) => ({
            label: t.title,
            testid: `project-template-${t.name}`,
            onSelect: () => void projectNew(t.name),
          }))}
        />
      )}
      <Button
        icon="plus"
        kind="quiet"
        label="New project"
        testid="project-new"
        onClick={() => void projectNew()}
      />
    </>
  );
  return (
    <section className="em-projects" aria-label="Projects">
      {!rail && (
        <div className="em-projects-head">
          <span className="em-grow">Projects</span>
          {add}
        </div>
      )}
      {!rail && items.length > SEARCH_FROM && (
        <input
          className="em-input"
          type="search"
          aria-label="Find a project"
          placeholder="Find a project"
          value={query}
          onChange={(e) => setQuery(e.target.value)}
        />
      )}
      <ul className="em-list">
        {(rail ? items : found).map((item) => (
          <Row key={item.id} item={item} rail={rail} />
        ))}
      </ul>
      {rail && add}
    </section>
  );
}

function Row({ item, rail }: { item: ProjectItem; rail: boolean }) {
  const active = useStudio((s) => s.traits.projects.active === item.id);
  const actions = useActions();
  const [mode, setMode] = useState<"show" | "rename" | "delete">("show");
  const done = () => setMode("show");
  if (mode === "delete") return <ConfirmDelete item={item} onDone={done} />;
  return (
    <li className="em-project" data-active={active || undefined}>
      {mode === "rename" ? (
        <InlineEdit
          value={item.name}
          label="Project name"
          testid="project-rename-input"
          onDone={(name) => {
            done();
            if (name) void actions.projectRename(item.id, name);
          }}
        />
      ) : (
        <button
          type="button"
          className="em-project-open"
          data-testid="project-item"
          data-project-id={item.id}
          aria-current={active ? "true" : undefined}
          aria-label={rail ? item.name : undefined}
          title={item.name}
          onClick={() => {
            if (!active) void actions.projectSwitch(item.id);
          }}
          onDoubleClick={() => !rail && setMode("rename")}
        >
          <span className={rail ? "em-initials" : "em-ellipsis em-grow"}>
            {rail ? initials(item.name) : item.name}
          </span>
          <Activity item={item} rail={rail} />
        </button>
      )}
      {!rail && mode === "show" && (
        <Menu
          label={`Menu of ${item.name}`}
          items={[
            {
              label: "Rename",
              icon: "pen",
              testid: "project-rename",
              onSelect: () => setMode("rename"),
            },
            {
              label: "Duplicate",
              icon: "copy",
              testid: "project-duplicate",
              onSelect: () => void actions.projectDuplicate(item.id),
            },
            {
              label: "Delete",
              icon: "trash",
              testid: "project-delete",
              danger: true,
              onSelect: () => setMode("delete"),
            },
          ]}
        />
      )}
    </li>
  );
}

/** Percent and ring while it trains; else the time since its last run. */
function Activity({ item, rail }: { item: ProjectItem; rail: boolean }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 60_000);
    return () => clearInterval(timer);
  }, []);
  if (item.training !== null) {
    return (
      <span className="em-training">
        {!rail && percent(item.training)}
        <Ring value={item.training} />
      </span>
    );
  }
  return rail ? null : <span className="em-when">{ago(item.last_run, now)}</span>;
}

function ConfirmDelete({ item, onDone }: { item: ProjectItem; onDone: () => void }) {
  const { projectDelete } = useActions();
  return (
    <li className="em-confirm" role="alertdialog" aria-label={`Delete ${item.name}?`}>
      <p>
        Delete <b>{item.name}</b>? It goes to the trash.
      </p>
      <div className="em-row">
        <button
          type="button"
          className="em-button em-secondary em-danger"
          data-testid="project-delete-confirm"
          // biome-ignore lint/a11y/noAutofocus: the question was asked for by this user just now
          autoFocus
          onClick={() => {
            onDone();
            void projectDelete(item.id);
          }}
        >
          Delete
        </button>
        <Button kind="quiet" onClick={onDone}>
          Keep
        </Button>
      </div>
    </li>
  );
}
