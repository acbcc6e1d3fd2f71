/** Reads the theme off the notebook page and watches it. */
import type { Page } from "../logic/theme";

const DARK = "(prefers-color-scheme: dark)";
const CONTRAST = "(prefers-contrast: more)";

export function readPage(el: HTMLElement): Page {
  const { body, documentElement: html } = document;
  return {
    jpLight: body.dataset.jpThemeLight,
    vscodeKind: body.dataset.vscodeThemeKind,
    bodyClasses: [...body.classList, ...html.classList],
    htmlTheme: html.getAttribute("theme") ?? undefined,
    bodyTheme: body.dataset.theme ?? html.dataset.theme,
    background: backdrop(el),
    prefersDark: matchMedia(DARK).matches,
  };
}

/** The background of the nearest opaque ancestor, past what we painted ourselves. */
function backdrop(el: HTMLElement): string | undefined {
  const own = el.closest<HTMLElement>(".emnb-studio") ?? el;
  for (let at = own.parentElement; at; at = at.parentElement) {
    const color = getComputedStyle(at).backgroundColor;
    const alpha = color.match(/^rgba\(.*[\s,/]([\d.]+)\)$/)?.[1];
    if (color !== "transparent" && (alpha === undefined || Number(alpha) > 0.5)) return color;
  }
  return undefined;
}

export function watchPage(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  const attributes = { attributes: true, attributeFilter: [...WATCHED] };
  observer.observe(document.body, attributes);
  observer.observe(document.documentElement, attributes);
  const wishes = [DARK, CONTRAST].map((query) => matchMedia(query));
  for (const wish of wishes) wish.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    for (const wish of wishes) wish.removeEventListener("change", changed);
  };
}

const WATCHED = [
  "class",
  "theme",
  "data-theme",
  "data-jp-theme-light",
  "data-jp-theme-name",
  "data-vscode-theme-kind",
] as const;

/** JupyterLab's and VS Code's high-contrast themes, and the system's wish. */
export function highContrast(): boolean {
  const { dataset } = document.body;
  const named = /high.?contrast/i;
  return (
    named.test(dataset.jpThemeName ?? "") ||
    named.test(dataset.vscodeThemeKind ?? "") ||
    matchMedia(CONTRAST).matches
  );
}
