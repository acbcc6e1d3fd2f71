/** The project list: made, found, laid in order; by mouse and by keyboard. */
import { type KeyboardEvent, useCallback, useEffect, useRef, useState } from "react";
import { found, SEARCH_FROM, step } from "../logic/project-list";
import { useActions, useStudio } from "../state/session";
import { Button, Menu } from "./parts";
import { Row } from "./projects/Row";
import { type Open, RowMenu } from "./projects/RowMenu";
import { landsAt, useReorder } from "./projects/reorder";
import { Trash } from "./projects/Trash";

export function Projects({ rail }: { rail: boolean }) {
  const [trash, setTrash] = useState(false);
  if (trash && !rail) return <Trash onClose={() => setTrash(false)} />;
  return <List rail={rail} onTrash={() => setTrash(true)} />;
}

function List({ rail, onTrash }: { rail: boolean; onTrash: () => void }) {
  const items = useStudio((s) => s.traits.projects.items);
  const active = useStudio((s) => s.opening ?? s.traits.projects.active);
  const actions = useActions();
  const list = useRef<HTMLUListElement>(null);
  const [query, setQuery] = useState("");
  const [renaming, setRenaming] = useState<string | null>(null);
  const [menu, setMenu] = useState<Open | null>(null);
  const now = useMinutes();
  const searched = !rail && items.length >= SEARCH_FROM;
  const shown = searched ? found(items, query) : items;
  const ids = shown.map((p) => p.id);
  const whole = shown.length === items.length;
  const move = useCallback(
    (id: string, before: string | null) => void actions.projectMove(id, before),
    [actions],
  );
  const { drag, handlers } = useReorder(list, whole && !rail, move);
  const reached = ids.includes(active) ? active : ids[0];
  useScrollTo(list, active, rail);

  const onOpen = useCallback((id: string) => void actions.projectSwitch(id), [actions]);
  const onMenu = useCallback(
    (id: string, row: HTMLElement) =>
      setMenu((open) => (open?.id === id ? null : { id, row: row.closest("li") ?? row })),
    [],
  );
  const onNamed = useCallback(
    (id: string, name: string | null) => {
      setRenaming(null);
      if (name) void actions.projectRename(id, name);
    },
    [actions],
  );
  const focus = (at: number) => {
    const all = list.current?.querySelectorAll<HTMLElement>(".em-project-open") ?? [];
    all[Math.max(0, Math.min(at, all.length - 1))]?.focus();
  };
  const onKeys = (e: KeyboardEvent<HTMLElement>) => {
    const target = (e.target as Element).closest<HTMLElement>(".em-project-open");
    const id = target?.dataset.projectId;
    if (!id) return;
    const at = ids.indexOf(id);
    const by = e.key === "ArrowUp" ? -1 : e.key === "ArrowDown" ? 1 : null;
    const page = { Home: 0, End: ids.length, PageUp: at - 8, PageDown: at + 8 }[e.key];
    if (by && e.altKey) {
      const before = step(ids, id, by);
      if (whole && !rail && before !== undefined) move(id, before);
    } else if (by === -1 && at === 0 && searched) {
      e.currentTarget.querySelector<HTMLElement>("[type=search]")?.focus();
    } else if (by) focus(at + by);
    else if (page !== undefined) focus(page);
    else if (e.key === "F2" && !rail) setRenaming(id);
    else if (e.key === "Delete" && !rail) {
      void actions.projectDelete(id);
      focus(at === ids.length - 1 ? at - 1 : at + 1);
    } else return;
    e.preventDefault();
    e.stopPropagation();
  };
  const add = <Add rail={rail} onTrash={onTrash} />;
  return (
    <section className="em-projects" aria-label="Projects" onKeyDown={onKeys}>
      {!rail && (
        <div className="em-projects-head">
          <span className="em-grow">Projects</span>
          {add}
        </div>
      )}
      {searched && (
        <input
          className="em-input"
          type="search"
          aria-label="Find a project"
          placeholder="Find a project"
          data-testid="project-search"
          value={query}
          onChange={(e) => {
            setQuery(e.target.value);
            if (list.current) list.current.scrollTop = 0; // what is found begins at the top
          }}
          onKeyDown={(e) => {
            if (e.key === "Enter" && ids[0]) onOpen(ids[0]);
            else if (e.key === "Escape" && query) setQuery("");
            else if (e.key === "ArrowDown") focus(0);
            else return;
            e.preventDefault();
            e.stopPropagation();
          }}
        />
      )}
      {searched && shown.length === 0 && (
        <p className="em-none" role="status">
          No project has that name.
        </p>
      )}
      <ul ref={list} className="em-list" data-dragging={drag !== null || undefined} {...handlers}>
        {shown.map((item, at) => (
          <Row
            key={item.id}
            item={item}
            rail={rail}
            active={item.id === active}
            reached={item.id === reached}
            renaming={item.id === renaming}
            menu={item.id === menu?.id}
            dragged={item.id === drag?.id}
            drop={landsAt(drag?.before, item.id, at === shown.length - 1)}
            now={now}
            onOpen={onOpen}
            onMenu={onMenu}
            onRename={setRenaming}
            onNamed={onNamed}
          />
        ))}
      </ul>
      {menu && (
        <RowMenu
          key={menu.id}
          {...menu}
          ids={whole ? ids : []}
          onRename={setRenaming}
          onClose={() => setMenu(null)}
        />
      )}
      {rail && add}
    </section>
  );
}

/** Made anew, from a template, from a file; and the way to the trash. */
function Add({ rail, onTrash }: { rail: boolean; onTrash: () => void }) {
  const { projectNew, projectImport } = useActions();
  const templates = useStudio((s) => s.traits.catalog.templates);
  const deleted = useStudio((s) => s.traits.projects.trash.length);
  const file = useRef<HTMLInputElement>(null);
  const hub = templates.findIndex((t) => t.hub);
  return (
    <>
      {templates.length > 0 && (
        <Menu
          label="New project from a template"
          icon="template"
          testid="project-template"
          items={templates.map((t, at) => ({
            label: t.hub ? `${t.title}, from the Hub` : t.title,
            icon: t.hub ? "download" : "template",
            rule: at > 0 && at === hub,
            testid: `project-template-${t.name}`,
            onSelect: () => void projectNew(t.name),
          }))}
        />
      )}
      {!rail && (
        <Menu
          label="More about projects"
          testid="projects-more"
          items={[
            {
              label: "Import a project",
              icon: "upload",
              testid: "project-import",
              onSelect: () => file.current?.click(),
            },
            {
              label: deleted > 0 ? `Trash (${deleted})` : "Trash",
              icon: "trash",
              testid: "project-trash",
              onSelect: onTrash,
            },
          ]}
        />
      )}
      <Button
        icon="plus"
        kind="quiet"
        label="New project"
        testid="project-new"
        onClick={() => void projectNew()}
      />
      <input
        ref={file}
        type="file"
        hidden
        accept=".json,application/json"
        data-testid="project-import-file"
        onChange={(e) => {
          for (const chosen of e.target.files ?? []) void projectImport(chosen);
          e.target.value = ""; // the same file may be chosen again
        }}
      />
    </>
  );
}

/** The time, once a minute. */
function useMinutes(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 60_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** The active project is in view, also when it was made or opened elsewhere. */
/** Also in the rail, whose rows are of another height. */
function useScrollTo(
  list: React.RefObject<HTMLElement | null>,
  active: string,
  rail: boolean,
): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each project that is opened
  useEffect(() => {
    const row = list.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(active)}"]`);
    const box = list.current;
    if (!row || !box) return;
    // Not scrollIntoView, which would scroll the notebook as well.
    const [top, bottom] = [
      row.offsetTop - box.offsetTop,
      row.offsetTop - box.offsetTop + row.offsetHeight,
    ];
    const edge = 4;
    if (top < box.scrollTop) box.scrollTop = top - edge;
    else if (bottom > box.scrollTop + box.clientHeight)
      box.scrollTop = bottom + edge - box.clientHeight;
  }, [active, rail]);
}
