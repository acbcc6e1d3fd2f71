/** Which theme the notebook around us has. */
export type Theme = "light" | "dark";
export type Preference = "auto" | Theme;

/** What can be seen of the page; read by ui/page.ts, invented in tests. */
export interface Page {
  jpLight: string | undefined; // body[data-jp-theme-light]: JupyterLab, Notebook 7
  vscodeKind: string | undefined; // body[data-vscode-theme-kind]
  bodyClasses: string[];
  htmlTheme: string | undefined; // html[theme]: Colab
  bodyTheme: string | undefined; // body[data-theme]: marimo, documentation
  background: string | undefined; // of the nearest ancestor that has an opaque one
  prefersDark: boolean;
}

/** The user's choice first, then each notebook's own mark, then what the page looks like. */
export function resolve(preference: Preference, page: Page): Theme {
  return preference === "auto" ? detect(page) : preference;
}

export function detect(page: Page): Theme {
  if (page.jpLight === "true") return "light";
  if (page.jpLight === "false") return "dark";
  const kind = page.vscodeKind;
  if (kind) return kind.includes("dark") || kind === "vscode-high-contrast" ? "dark" : "light";
  if (page.bodyClasses.includes("vscode-dark")) return "dark";
  if (page.htmlTheme === "dark" || page.htmlTheme === "light") return page.htmlTheme;
  if (page.bodyTheme === "dark" || page.bodyTheme === "light") return page.bodyTheme;
  if (page.bodyClasses.includes("dark")) return "dark";
  const light = luminance(page.background);
  if (light !== null) return light < 0.4 ? "dark" : "light";
  return page.prefersDark ? "dark" : "light";
}

/** Relative luminance of a CSS rgb() colour; null when it is no colour or is see-through. */
export function luminance(color: string | undefined): number | null {
  const parts = color
    ?.match(/^rgba?\(([^)]+)\)$/)?.[1]
    ?.split(/[\s,/]+/)
    .map(Number);
  if (!parts || parts.length < 3 || parts.some(Number.isNaN)) return null;
  if (parts.length > 3 && (parts[3] ?? 1) < 0.5) return null;
  const [r = 0, g = 0, b = 0] = parts.slice(0, 3).map((v) => {
    const c = v / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function next(preference: Preference): Preference {
  return preference === "auto" ? "light" : preference === "light" ? "dark" : "auto";
}
