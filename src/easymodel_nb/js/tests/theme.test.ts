import { expect, it } from "vitest";
import { detect, luminance, next, type Page, resolve } from "../src/logic/theme";

const page = (part: Partial<Page>): Page => ({
  jpLight: undefined,
  vscodeKind: undefined,
  bodyClasses: [],
  htmlTheme: undefined,
  bodyTheme: undefined,
  background: undefined,
  prefersDark: false,
  ...part,
});

it.each([
  [{ jpLight: "false" }, "dark"],
  [{ jpLight: "true", prefersDark: true, background: "rgb(0, 0, 0)" }, "light"],
  [{ vscodeKind: "vscode-dark" }, "dark"],
  [{ vscodeKind: "vscode-high-contrast" }, "dark"],
  [{ vscodeKind: "vscode-high-contrast-light", prefersDark: true }, "light"],
  [{ bodyClasses: ["vscode-dark"] }, "dark"],
  [{ htmlTheme: "dark" }, "dark"],
  [{ bodyTheme: "dark" }, "dark"],
  [{ bodyClasses: ["dark"] }, "dark"],
  [{ background: "rgb(17, 17, 17)" }, "dark"],
  [{ background: "rgb(250, 250, 250)", prefersDark: true }, "light"],
  [{ prefersDark: true }, "dark"],
  [{}, "light"],
] as [Partial<Page>, string][])("%j is %s", (part, theme) => {
  expect(detect(page(part))).toBe(theme);
});

it("obeys the user first", () => {
  expect(resolve("dark", page({ jpLight: "true" }))).toBe("dark");
  expect(resolve("auto", page({ jpLight: "false" }))).toBe("dark");
});

it("goes round: auto, light, dark", () => {
  expect([next("auto"), next("light"), next("dark")]).toEqual(["light", "dark", "auto"]);
});

it("reads colours and knows when there is none", () => {
  expect(luminance("rgb(255, 255, 255)")).toBeCloseTo(1);
  expect(luminance("rgba(0, 0, 0, 0)")).toBeNull();
  expect(luminance("transparent")).toBeNull();
});
