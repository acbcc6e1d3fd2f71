/** A text field with a list to choose from; anything else may be typed as well. */
import { Fragment, useId, useRef, useState } from "react";
import { Icon } from "./icons";

export interface Option {
  value: string;
  title: string;
  detail?: string;
  /** A heading over the first option of each group. */
  group?: string;
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
  onChange: (value: string, typing: boolean) => void;
  onFocus?: () => void;
}

export function Combobox(p: ComboboxProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState(false);
  const [at, setAt] = useState(-1);
  const needle = typed ? p.value.toLowerCase() : "";
  const shown = p.options.filter((o) => `${o.value} ${o.title}`.toLowerCase().includes(needle));
  // A name typed to its end needs no list, which would cover what is below.
  const complete = typed && p.options.some((o) => o.value === p.value);
  const listed = open && shown.length > 0 && !complete;
  const close = () => {
    setOpen(false);
    setTyped(false);
    setAt(-1);
  };
  const choose = (option: Option) => {
    p.onChange(option.value, false);
    close();
  };
  const onKeyDown = (e: React.KeyboardEvent) => {
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      if (!open) setOpen(true);
      else setAt((at + (e.key === "ArrowDown" ? 1 : -1) + shown.length) % (shown.length || 1));
    } else if (e.key === "Enter" && listed) {
      const option = shown[at];
      if (option) choose(option);
      else close();
    } else if (e.key === "Escape" && listed) {
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
        aria-activedescendant={listed && at >= 0 ? `${id}-${at}` : undefined}
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
          setOpen(p.options.length > 0);
          setAt(-1);
        }}
        onKeyDown={onKeyDown}
        onFocus={p.onFocus}
        onBlur={() => {
          if (p.value !== p.value.trim()) p.onChange(p.value.trim(), false);
        }}
      />
      {p.hint && <span className="em-hint">{p.hint}</span>}
      <button
        type="button"
        className="em-combo-arrow"
        tabIndex={-1}
        aria-label={`Choices for ${p.label}`}
        disabled={p.options.length === 0}
        onClick={(e) => {
          e.stopPropagation();
          setOpen(!open);
          input.current?.focus({ preventScroll: true });
        }}
      >
        <Icon name="down" size={14} />
      </button>
      {listed && (
        <div id={id} className="em-options nowheel" role="listbox" aria-label={p.label}>
          {shown.map((option, i) => (
            <Fragment key={option.value}>
              {option.group && option.group !== shown[i - 1]?.group && (
                <div className="em-option-group" role="presentation">
                  {option.group}
                </div>
              )}
              <div
                id={`${id}-${i}`}
                className="em-option"
                role="option"
                tabIndex={-1}
                aria-selected={option.value === p.value}
                data-at={i === at || undefined}
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
            </Fragment>
          ))}
        </div>
      )}
    </div>
  );
}
