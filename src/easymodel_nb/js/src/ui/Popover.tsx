/** A button whose panel stands beside it until one presses Escape or elsewhere. */
import { type ReactNode, useEffect, useRef, useState } from "react";

interface PopoverProps {
  /** Of the button, of what is around it (-box) and of the panel (-panel). */
  name: string;
  className: string;
  /** What the panel is, for those who hear it. */
  label: string;
  title: string;
  /** The button's own name, where its text is not all of it. */
  says?: string;
  state?: string;
  /** Without it there is nothing, unless the panel is open. */
  shown?: boolean;
  onOpen?: () => void;
  button: ReactNode;
  children: ReactNode;
}

export function Popover({ name, button, shown = true, onOpen, ...rest }: PopoverProps) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const trigger = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const leave = (e: Event) => {
      if (!box.current?.contains(e.composedPath()[0] as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", leave, true);
    return () => document.removeEventListener("pointerdown", leave, true);
  }, [open]);
  if (!shown && !open) return null;
  const toggle = () => {
    if (!open) onOpen?.();
    setOpen(!open);
  };
  const close = () => {
    setOpen(false);
    trigger.current?.focus({ preventScroll: true });
  };
  return (
    <div ref={box} className={`em-${name}-box`}>
      <button
        ref={trigger}
        type="button"
        className={rest.className}
        data-testid={name}
        data-state={rest.state}
        aria-label={rest.says}
        aria-expanded={open}
        aria-haspopup="dialog"
        title={rest.title}
        onClick={toggle}
      >
        {button}
      </button>
      {open && (
        <Panel name={name} label={rest.label} onClose={close}>
          {rest.children}
        </Panel>
      )}
    </div>
  );
}

type PanelProps = { name: string; label: string; onClose: () => void; children: ReactNode };

function Panel({ name, label, onClose, children }: PanelProps) {
  const panel = useRef<HTMLDivElement>(null);
  useEffect(() => panel.current?.focus({ preventScroll: true }), []);
  return (
    <div
      ref={panel}
      className={`em-${name}-panel nowheel nokey`}
      role="dialog"
      aria-label={label}
      data-testid={`${name}-panel`}
      tabIndex={-1}
      onKeyDown={(e) => {
        if (e.key !== "Escape") return;
        e.stopPropagation();
        onClose();
      }}
    >
      {children}
    </div>
  );
}
