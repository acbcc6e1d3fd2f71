/** A text field with a list to choose from; anything else may be typed as well. */
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { Icon } from "./icons";
import { showEnd } from "./tail";

export interface Option {
  value: string;
  title: string;
  detail?: string;
  /** A heading over the options of each group, which stand together. */
  group?: string;
  /** Found for what was typed by somebody who knows better than a look at the letters. */
  found?: boolean;
}

interface ComboboxProps {
  value: string;
  label: string;
  options: Option[];
  placeholder?: string;
  /** Right of the value, in the quiet colour: "auto". */
  hint?: string;
  testid: string;
  invalid?: boolean;
  describedBy?: string;
  /** Of what is too long its end is seen, where a path has its name. */
  tail?: boolean;
  /** What stands under the list: that more is looked for, or why there is no more. */
  foot?: ReactNode;
  onChange: (value: string, typing: boolean) => void;
  onFocus?: () => void;
  /** What is looked for while the list is open, "" for everything; null once it is closed. */
  onQuery?: (text: string | null) => void;
}

export function Combobox(p: ComboboxProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState(false);
  // By its value: what is found later may come in before it.
  const [at, setAt] = useState<string | null>(null);
  const needle = typed ? p.value.trim().toLowerCase() : "";
  const shown = p.options.filter(
    (o) => o.found || `${o.value} ${o.title}`.toLowerCase().includes(needle),
  );
  // A name typed to its end needs no list, which would cover what is below.
  const complete = typed && p.options.some((o) => o.value === p.value);
  const listed = open && !complete && (shown.length > 0 || Boolean(p.foot));
  const index = shown.findIndex((o) => o.value === at);
  const tell = (text: string | null) => p.onQuery?.(text);
  const show = () => {
    setOpen(true);
    tell(typed ? p.value : "");
  };
  const close = () => {
    if (open) tell(null);
    setOpen(false);
    setTyped(false);
    setAt(null);
  };
  const choose = (option: Option) => {
    p.onChange(option.value, false);
    close();
  };
  useEffect(() => {
    // Not scrollIntoView, which would move the notebook as well.
    const box = list.current;
    const option = at === null ? null : box?.querySelector<HTMLElement>("[data-at]");
    if (!box || !option) return;
    const top = option.offsetTop - box.offsetTop;
    if (top < box.scrollTop) box.scrollTop = top;
    const below = top + option.offsetHeight - box.clientHeight;
    if (below > box.scrollTop) box.scrollTop = below;
  }, [at]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the value that is seen
  useEffect(() => {
    if (p.tail) showEnd(input.current);
  }, [p.tail, p.value]);
  const onKeyDown = (e: React.KeyboardEvent) => {
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      if (!open) {
        show();
        return;
      }
      const from = index < 0 && e.key === "ArrowUp" ? 0 : index;
      const next = (from + (e.key === "ArrowDown" ? 1 : -1) + shown.length) % (shown.length || 1);
      setAt(shown[next]?.value ?? null);
    } else if (e.key === "Enter" && listed) {
      const option = shown[index];
      if (option) choose(option);
      else close();
    } else if (e.key === "Escape" && listed) {
      e.preventDefault();
      close();
    }
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only watches the focus leave
    <div
      className="em-combo nodrag nokey"
      data-open={open || undefined}
      onBlur={(e) => {
        if (!e.currentTarget.contains(e.relatedTarget)) close();
      }}
    >
      <input
        ref={input}
        className="em-input"
        role="combobox"
        type="text"
        autoComplete="off"
        spellCheck={false}
        aria-label={p.label}
        aria-expanded={listed}
        aria-controls={listed ? id : undefined}
        aria-activedescendant={listed && index >= 0 ? `${id}-${index}` : undefined}
        aria-autocomplete="list"
        aria-invalid={p.invalid || undefined}
        aria-describedby={p.describedBy}
        data-testid={p.testid}
        placeholder={p.placeholder}
        title={p.value || undefined}
        value={p.value}
        onChange={(e) => {
          p.onChange(e.target.value, true);
          setTyped(true);
          setOpen(p.options.length > 0 || Boolean(p.onQuery));
          setAt(null);
          tell(e.target.value);
        }}
        onKeyDown={onKeyDown}
        onFocus={(e) => {
          delete e.currentTarget.dataset.cut;
          p.onFocus?.();
        }}
        onBlur={(e) => {
          if (p.tail) showEnd(e.currentTarget);
          if (p.value !== p.value.trim()) p.onChange(p.value.trim(), false);
        }}
      />
      {p.hint && <span className="em-hint">{p.hint}</span>}
      <button
        type="button"
        className="em-combo-arrow"
        tabIndex={-1}
        aria-label={`Choices for ${p.label}`}
        disabled={p.options.length === 0 && !p.onQuery}
        onClick={(e) => {
          e.stopPropagation();
          if (open) close();
          else show();
          input.current?.focus({ preventScroll: true });
        }}
      >
        <Icon name="down" size={14} />
      </button>
      {listed && (
        <div className="em-options nowheel">
          <div ref={list} id={id} className="em-option-list" role="listbox" aria-label={p.label}>
            {grouped(shown).map(([group, options]) => (
              <Group key={group} name={group}>
                {options.map((option) => {
                  const i = shown.indexOf(option);
                  return (
                    <div
                      key={option.value}
                      id={`${id}-${i}`}
                      className="em-option"
                      role="option"
                      tabIndex={-1}
                      aria-selected={option.value === p.value}
                      data-at={i === index || undefined}
                      data-value={option.value}
                      // Before the input loses the focus and the list with it.
                      onPointerDown={(e) => {
                        e.preventDefault();
                        choose(option);
                      }}
                    >
                      <span>{option.title}</span>
                      {option.detail && <small>{option.detail}</small>}
                    </div>
                  );
                })}
              </Group>
            ))}
          </div>
          {p.foot && <p className="em-option-foot">{p.foot}</p>}
        </div>
      )}
    </div>
  );
}

function Group({ name, children }: { name: string; children: ReactNode }) {
  if (!name) return children;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset has no place in a listbox
    <div role="group" aria-label={name}>
      <div className="em-option-group" aria-hidden="true">
        {name}
      </div>
      {children}
    </div>
  );
}

/** Options by their groups, each where its first option stands. */
function grouped(options: Option[]): [string, Option[]][] {
  const found = new Map<string, Option[]>();
  for (const option of options) {
    const group = option.group ?? "";
    found.set(group, [...(found.get(group) ?? []), option]);
  }
  return [...found];
}
