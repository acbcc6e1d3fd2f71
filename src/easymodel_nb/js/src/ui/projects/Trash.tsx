/** What was deleted: restored one by one, or thrown away for good. */
import { useRef, useState } from "react";
import { ago } from "../../logic/format";
import { useActions, useStudio } from "../../state/session";
import { useBorrowedFocus } from "../focus";
import { Button } from "../parts";

export function Trash({ onClose }: { onClose: () => void }) {
  const items = useStudio((s) => s.traits.projects.trash);
  const { projectRestore } = useActions();
  const root = useRef<HTMLElement>(null);
  useBorrowedFocus(root, '.em-project-open[tabindex="0"]');
  const now = Date.now();
  return (
    <section
      ref={root}
      className="em-projects em-trash"
      aria-label="Trash"
      data-testid="trash"
      tabIndex={-1}
      onKeyDown={(e) => {
        if (e.key === "Escape") onClose();
      }}
    >
      <div className="em-projects-head">
        <Button icon="left" kind="quiet" label="Back to the projects" onClick={onClose} />
        <span className="em-grow">Trash</span>
      </div>
      {items.length === 0 && <p className="em-trash-empty">The trash is empty.</p>}
      <ul className="em-list">
        {items.map((item) => (
          <li
            key={item.id}
            className="em-project"
            data-testid="trash-item"
            data-project-id={item.id}
          >
            <span className="em-ellipsis em-grow" title={item.name} dir="auto">
              {item.name}
            </span>
            <span className="em-when">{ago(item.deleted, now)}</span>
            <Button
              icon="undo"
              kind="quiet"
              label={`Restore ${item.name}`}
              testid="trash-restore"
              onClick={() => void projectRestore(item.id)}
            />
          </li>
        ))}
      </ul>
      {items.length > 0 && <Emptying count={items.length} />}
    </section>
  );
}

/** It cannot be undone, so it asks. */
function Emptying({ count }: { count: number }) {
  const { emptyTrash } = useActions();
  const [asking, setAsking] = useState(false);
  const what = count === 1 ? "1 project" : `${count} projects`;
  if (!asking)
    return (
      <div className="em-trash-foot">
        <Button icon="trash" kind="secondary" testid="trash-empty" onClick={() => setAsking(true)}>
          Empty the trash
        </Button>
      </div>
    );
  return (
    <div className="em-confirm" role="alertdialog" aria-label="Empty the trash?">
      <p>Delete {what} for good? This cannot be undone. Their runs are kept.</p>
      <div className="em-row">
        <button
          type="button"
          className="em-button em-secondary em-danger"
          data-testid="trash-empty-confirm"
          // biome-ignore lint/a11y/noAutofocus: the question was asked for by this user just now
          autoFocus
          onClick={() => {
            setAsking(false);
            void emptyTrash();
          }}
        >
          Delete
        </button>
        <Button kind="quiet" onClick={() => setAsking(false)}>
          Keep
        </Button>
      </div>
    </div>
  );
}
