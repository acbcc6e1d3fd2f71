/** One button drawn as three icons; each press goes on: auto, light, dark. */
import { useActions, useStudio } from "../state/session";
import { Icon } from "./icons";

const MODES = ["auto", "light", "dark"] as const;
const NAMES = { auto: "as the notebook", light: "light", dark: "dark" };

export function ThemeToggle({ rail }: { rail: boolean }) {
  const theme = useStudio((s) => s.theme);
  const actions = useActions();
  const label = `Theme: ${NAMES[theme]}. Press for the next.`;
  return (
    <button
      type="button"
      className={rail ? "em-button em-quiet em-icon-button" : "em-theme"}
      data-testid="theme-toggle"
      data-value={theme}
      aria-label={label}
      title={label}
      onClick={() => actions.cycleTheme()}
    >
      {rail ? (
        <Icon name={theme} />
      ) : (
        MODES.map((mode) => (
          <span key={mode} className="em-theme-mode" data-on={mode === theme || undefined}>
            <Icon name={mode} size={14} />
          </span>
        ))
      )}
    </button>
  );
}
