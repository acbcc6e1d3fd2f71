/** A menu that unfolds in its place, so that no list cuts it off: arrows, Enter, Escape. */
import { type KeyboardEvent, useEffect, useRef } from "react";
import { focusOn, reveal } from "../focus";
import { Icon, type IconName } from "../icons";

export interface Pick {
  label: string;
  detail?: string;
  icon?: IconName;
  testid?: string;
  danger?: boolean;
  chosen?: boolean;
  /** Why it cannot be picked; it is told, not hidden. */
  refused?: string | null;
  onPick: () => unknown;
}

interface PickerProps {
  label: string;
  choices: Pick[];
  /** Picked, or left without: it goes away. */
  onDone: () => void;
}

export function Picker({ label, choices, onDone }: PickerProps) {
  const root = useRef<HTMLDivElement>(null);
  const opener = useRef<Element | null>(null);
  const items = () => [...(root.current?.querySelectorAll<HTMLElement>("button") ?? [])];
  useEffect(() => {
    opener.current = document.activeElement;
    const own = root.current;
    const all = [...(own?.querySelectorAll<HTMLElement>("button") ?? [])];
    if (own) reveal(own, own.closest<HTMLElement>(".em-outline-list"));
    focusOn(all.find((b) => b.getAttribute("aria-checked") === "true") ?? all[0]);
  }, []);
  // Before it is gone, so that what is picked can move the focus on from there.
  const back = () => focusOn(opener.current as HTMLElement | null);
  const onKeyDown = (e: KeyboardEvent) => {
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = {
      ArrowDown: (at + 1) % all.length,
      ArrowUp: (at - 1 + all.length) % all.length,
      Home: 0,
      End: all.length - 1,
    }[e.key];
    if (to !== undefined) focusOn(all[to]);
    else if (e.key === "Escape" || e.key === "ArrowLeft") {
      back();
      onDone();
    } else if (e.key.length === 1 && e.key !== " " && !(e.ctrlKey || e.metaKey || e.altKey))
      jump(all, at, e.key);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div
      ref={root}
      className="em-picker"
      role="menu"
      aria-label={label}
      tabIndex={-1}
      onKeyDown={onKeyDown}
      onBlur={(e) => {
        if (e.relatedTarget && !root.current?.contains(e.relatedTarget)) onDone();
      }}
    >
      {choices.map((choice) => (
        // biome-ignore lint/a11y/useAriaPropsSupportedByRole: checked is of the radio items alone
        <button
          key={choice.label + (choice.detail ?? "")}
          type="button"
          role={choice.chosen === undefined ? "menuitem" : "menuitemradio"}
          aria-checked={choice.chosen}
          aria-disabled={Boolean(choice.refused) || undefined}
          className={choice.danger ? "em-menu-item em-danger" : "em-menu-item"}
          data-testid={choice.testid}
          tabIndex={-1}
          onClick={(e) => {
            e.stopPropagation();
            if (choice.refused) return;
            back();
            onDone();
            choice.onPick();
          }}
        >
          {choice.icon && <Icon name={choice.icon} size={14} />}
          <span className="em-grow">
            {choice.label}
            {choice.detail && <small>{choice.detail}</small>}
            {choice.refused && <small>{choice.refused}</small>}
          </span>
          {choice.chosen && <Icon name="check" size={14} />}
        </button>
      ))}
    </div>
  );
}

/** The next item that begins with a letter. */
function jump(all: HTMLElement[], at: number, letter: string): void {
  const rest = [...all.slice(at + 1), ...all.slice(0, at + 1)];
  focusOn(rest.find((b) => b.textContent?.toLowerCase().startsWith(letter.toLowerCase())));
}
