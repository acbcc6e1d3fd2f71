/** The sheet on `?`: every shortcut, from the table that the keys are read from. */
import { useEffect, useRef } from "react";
import { GESTURES, type Group, isMac, keysShown, SHORTCUTS } from "../logic/shortcuts";
import type { Commands } from "./commands";
import { Button } from "./parts";

const mac = isMac(navigator.platform);
const GROUPS: Group[] = ["Editing", "Adding and connecting", "Selecting and moving", "Looking"];

export function Shortcuts({ commands }: { commands: Commands }) {
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => root.current?.focus({ preventScroll: true }), []);
  const lines = [
    ...SHORTCUTS.filter((s) => !s.hidden).map((s) => ({ ...s, keys: s.keys[0] ?? "" })),
    ...GESTURES,
  ];
  return (
    <div
      className="em-veil nokey"
      onPointerDown={(e) => {
        if (e.target === e.currentTarget) commands.close();
      }}
    >
      <div
        ref={root}
        className="em-sheet"
        role="dialog"
        aria-modal="true"
        aria-label="Shortcuts"
        data-testid="shortcuts"
        tabIndex={-1}
        onKeyDown={(e) => {
          if (e.key === "Escape" || e.key === "?") {
            e.preventDefault();
            commands.close();
          }
          // The button is all there is to reach.
          if (e.key === "Tab") {
            e.preventDefault();
            root.current?.querySelector("button")?.focus();
          }
        }}
      >
        <header>
          <h2 className="em-grow">Shortcuts</h2>
          <Button icon="cross" kind="quiet" label="Close" onClick={() => commands.close()} />
        </header>
        <div className="em-sheet-groups">
          {GROUPS.map((group) => (
            <section key={group} aria-label={group}>
              <h3>{group}</h3>
              <dl>
                {lines
                  .filter((s) => s.group === group)
                  .map(({ words, keys }) => (
                    <div key={words}>
                      <dt>{words}</dt>
                      <dd>
                        <kbd>{keysShown(keys, mac)}</kbd>
                      </dd>
                    </div>
                  ))}
              </dl>
            </section>
          ))}
        </div>
        <p>Shortcuts work while the studio has the focus, and never while you type in a field.</p>
      </div>
    </div>
  );
}
