/** Type-ahead over everything that can be put on the canvas, or connected to a port. */
import { Fragment, type KeyboardEvent, useId, useLayoutEffect, useRef, useState } from "react";
import { search } from "../logic/search";
import type { Commands } from "./commands";
import { Icon } from "./icons";
import { useEntries } from "./search-entries";
import { type Popup, useView } from "./view";

type SearchPopup = Extract<Popup, { kind: "search" }>;
const EDGE = 8;
const HEIGHT = 320;

export function SearchAdd({ popup, commands }: { popup: SearchPopup; commands: Commands }) {
  const id = useId();
  const root = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const { el } = useView();
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const [place, setPlace] = useState({ left: EDGE, top: EDGE, maxHeight: HEIGHT });
  const found = search(useEntries(popup, typed, commands), typed);

  useLayoutEffect(() => {
    const room = el.querySelector(".em-canvas")?.getBoundingClientRect();
    const box = root.current?.getBoundingClientRect();
    if (!room || !box) return;
    const wish = popup.free && popup.from.length === 0 ? popup.at.x - box.width / 2 : popup.at.x;
    const left = Math.max(EDGE, Math.min(wish - room.left, room.width - box.width - EDGE));
    const highest = Math.min(HEIGHT, room.height - 2 * EDGE);
    const lowest = room.height - Math.min(highest, box.height) - EDGE;
    const top = Math.max(EDGE, Math.min(popup.at.y - room.top, lowest));
    setPlace({ left, top, maxHeight: highest });
    root.current?.querySelector("input")?.focus({ preventScroll: true });
  }, [popup, el]);
  // Not scrollIntoView, which would move the notebook as well.
  useLayoutEffect(() => {
    const option = list.current?.querySelector<HTMLElement>(`[data-index="${at}"]`);
    const box = list.current;
    if (!option || !box) return;
    const head = at === 0 ? 0 : option.offsetTop;
    if (head < box.scrollTop) box.scrollTop = head;
    const foot = option.offsetTop + option.offsetHeight - box.clientHeight;
    if (foot > box.scrollTop) box.scrollTop = foot;
  }, [at]);

  const choose = (index: number) => {
    const entry = found[index];
    if (!entry) return;
    commands.close(false);
    commands.focus.canvas(); // what is added takes it from there
    entry.run();
  };
  const onKeyDown = (e: KeyboardEvent) => {
    const last = found.length - 1;
    const to = { ArrowDown: at >= last ? 0 : at + 1, ArrowUp: at <= 0 ? last : at - 1 }[e.key];
    if (to !== undefined) setAt(Math.max(0, to));
    else if (e.key === "Enter") choose(at);
    else if (e.key === "Escape" || e.key === "Tab") commands.close();
    else return;
    e.preventDefault();
  };
  const words = popup.edge
    ? "Connect elsewhere"
    : popup.from.length > 0
      ? "Connect to"
      : "Search and add";
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only watches the focus leave
    <div
      ref={root}
      className="em-popup em-search nokey nodrag nowheel"
      data-testid="search-add"
      style={place}
      onBlur={(e) => {
        if (!e.currentTarget.contains(e.relatedTarget)) commands.close(false);
      }}
    >
      <div className="em-search-head">
        <Icon name="search" size={14} />
        <input
          role="combobox"
          type="text"
          autoComplete="off"
          spellCheck={false}
          aria-label={words}
          aria-expanded={found.length > 0}
          aria-controls={id}
          aria-autocomplete="list"
          aria-activedescendant={found.length > 0 ? `${id}-${at}` : undefined}
          data-testid="search-input"
          placeholder={words}
          value={typed}
          onChange={(e) => {
            setTyped(e.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <div
        ref={list}
        id={id}
        className="em-search-list"
        role="listbox"
        aria-label={words}
        hidden={found.length === 0}
      >
        {found.map((entry, i) => (
          <Fragment key={entry.id}>
            {entry.group !== found[i - 1]?.group && (
              <div className="em-search-group" role="presentation">
                {entry.group}
              </div>
            )}
            <div
              id={`${id}-${i}`}
              className="em-search-entry"
              role="option"
              tabIndex={-1}
              aria-selected={i === at}
              data-index={i}
              data-testid="search-entry"
              data-entry={entry.id}
              onPointerMove={() => setAt(i)}
              // Before the input loses the focus and the list with it.
              onPointerDown={(e) => {
                e.preventDefault();
                if (e.button === 0) choose(i);
              }}
            >
              <span className={`em-kind-${entry.icon}`}>
                <Icon name={entry.icon} size={14} />
              </span>
              <span className="em-ellipsis">{entry.title}</span>
              {entry.detail && <small className="em-ellipsis">{entry.detail}</small>}
              {entry.hint && <span className="em-keys">{entry.hint}</span>}
            </div>
          </Fragment>
        ))}
      </div>
      {found.length === 0 && (
        <p className="em-search-none" role="status">
          {popup.edge
            ? "There is nothing else that fits this connection."
            : "Nothing has that name. You can also type or paste a name on the Hub, such as openai-community/gpt2, or the address of a data file."}
        </p>
      )}
    </div>
  );
}
