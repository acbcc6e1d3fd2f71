/** Small parts used everywhere: buttons, an inline form, a menu. */
import { Fragment, type ReactNode, useEffect, useRef, useState } from "react";
import { Icon, type IconName } from "./icons";

interface ButtonProps {
  children?: ReactNode;
  icon?: IconName;
  kind?: "primary" | "secondary" | "quiet" | "link";
  label?: string;
  /** The key that does the same. */
  hint?: string;
  testid?: string;
  disabled?: boolean;
  pressed?: boolean;
  /** It unfolds a menu: whether that is open. */
  expanded?: boolean;
  className?: string;
  onClick: () => void;
}

export function Button(p: ButtonProps) {
  const { children, icon, kind = "secondary", label, testid, disabled, pressed, className } = p;
  const bare = children === undefined;
  return (
    <button
      type="button"
      className={["em-button", `em-${kind}`, bare && "em-icon-button", "nodrag", className]
        .filter(Boolean)
        .join(" ")}
      aria-label={label}
      title={bare ? label && (p.hint ? `${label} (${p.hint})` : label) : undefined}
      aria-pressed={pressed}
      aria-haspopup={p.expanded === undefined ? undefined : "menu"}
      aria-expanded={p.expanded}
      data-testid={testid}
      disabled={disabled}
      onClick={(e) => {
        e.stopPropagation();
        p.onClick();
      }}
    >
      {icon && <Icon name={icon} size={bare ? 16 : 14} />}
      {children !== undefined && <span>{children}</span>}
    </button>
  );
}

/** How far something is, 0 to 1. */
export function Bar({ label, share, testid }: { label: string; share: number; testid?: string }) {
  return (
    <div
      className="em-bar"
      role="progressbar"
      data-testid={testid}
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share * 100)}
    >
      <span className="em-segment">
        <span style={{ transform: `scaleX(${share})` }} />
      </span>
    </div>
  );
}

/** A name being changed in place: Enter or leaving keeps it, Escape does not. */
export function InlineEdit({
  value,
  label,
  testid,
  onDone,
}: {
  value: string;
  label: string;
  testid?: string;
  onDone: (value: string | null) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  const done = useRef(false);
  useEffect(() => {
    input.current?.focus({ preventScroll: true });
    input.current?.select();
  }, []);
  const finish = (keep: boolean) => {
    if (done.current) return;
    done.current = true;
    const text = input.current?.value.trim() ?? "";
    onDone(keep && text && text !== value ? text : null);
  };
  return (
    <input
      ref={input}
      className="em-inline nodrag nokey"
      aria-label={label}
      data-testid={testid}
      dir="auto"
      defaultValue={value}
      maxLength={120}
      onClick={(e) => e.stopPropagation()}
      onBlur={() => finish(true)}
      onKeyDown={(e) => {
        if (e.key !== "Enter" && e.key !== "Escape") return;
        e.preventDefault(); // else Enter presses what has the focus next
        finish(e.key === "Enter");
      }}
    />
  );
}

export interface MenuItem {
  label: string;
  icon?: IconName | undefined;
  /** The key that does the same. */
  hint?: string;
  /** A line above it. */
  rule?: boolean;
  testid?: string;
  danger?: boolean;
  disabled?: boolean;
  onSelect: () => void;
}

interface MenuProps {
  label: string;
  items: MenuItem[];
  icon?: IconName;
  testid?: string;
}

/** The items of a menu: arrows, Home and End walk, Escape and a choice close it. */
export function MenuItems({
  items,
  onClose,
}: {
  items: MenuItem[];
  onClose: (refocus: boolean) => void;
}) {
  const list = useRef<HTMLDivElement>(null);
  const walk = (key: string) => {
    const all = [...(list.current?.querySelectorAll<HTMLElement>("button:not(:disabled)") ?? [])];
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[key];
    if (to !== undefined) all[(to + all.length) % all.length]?.focus();
    return to !== undefined;
  };
  return (
    <div
      ref={list}
      className="em-menu-list"
      role="menu"
      tabIndex={-1}
      onKeyDown={(e) => {
        if (e.key === "Escape") onClose(true);
        if (walk(e.key) || e.key === "Escape") e.preventDefault();
      }}
    >
      {items.map((item) => (
        <Fragment key={item.label}>
          {item.rule && <hr className="em-menu-rule" />}
          <button
            type="button"
            role="menuitem"
            className={item.danger ? "em-menu-item em-danger" : "em-menu-item"}
            data-testid={item.testid}
            disabled={item.disabled}
            onClick={(e) => {
              e.stopPropagation();
              onClose(true);
              item.onSelect();
            }}
          >
            {item.icon ? <Icon name={item.icon} size={14} /> : <span className="em-no-icon" />}
            {item.label}
            {item.hint && (
              <span className="em-keys" aria-hidden="true">
                {item.hint}
              </span>
            )}
          </button>
        </Fragment>
      ))}
    </div>
  );
}

/** The three dots (or another icon) and their menu; it also closes when the focus leaves. */
export function Menu({ label, items, icon = "dots", testid }: MenuProps) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (open) root.current?.querySelector<HTMLElement>("[role=menuitem]:not(:disabled)")?.focus();
  }, [open]);
  const close = (refocus: boolean) => {
    setOpen(false);
    if (refocus) root.current?.querySelector<HTMLElement>(".em-menu-button")?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only watches the focus leave
    <div
      ref={root}
      className="em-menu nodrag nokey"
      onBlur={(e) => {
        if (!root.current?.contains(e.relatedTarget)) setOpen(false);
      }}
    >
      <button
        type="button"
        className="em-button em-quiet em-icon-button em-menu-button"
        aria-label={label}
        title={icon === "dots" ? undefined : label}
        data-testid={testid}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={(e) => {
          e.stopPropagation();
          setOpen(!open);
        }}
      >
        <Icon name={icon} />
      </button>
      {open && <MenuItems items={items} onClose={close} />}
    </div>
  );
}
