/** How a file is read and which splits are used: what was guessed, and what can be chosen. */
import type { Guess, SourceFacts } from "../protocol";

export type FormatName = "delimiter" | "encoding" | "header";
export type Choice = [value: string, title: string];

/** Values are what the document holds; an encoding may be any that Python knows. */
export const FORMAT: { name: FormatName; label: string; choices: Choice[] }[] = [
  {
    name: "delimiter",
    label: "Delimiter",
    choices: [
      [",", "Comma ,"],
      [";", "Semicolon ;"],
      ["\t", "Tab"],
      ["|", "Bar |"],
      [":", "Colon :"],
      [" ", "Space"],
    ],
  },
  {
    name: "encoding",
    label: "Encoding",
    choices: [
      ["utf-8", "UTF-8"],
      ["utf-16", "UTF-16"],
      ["windows-1252", "Windows-1252, Western Europe"],
      ["latin-1", "Latin-1, Western Europe"],
      ["windows-1250", "Windows-1250, Central Europe"],
      ["windows-1251", "Windows-1251, Cyrillic"],
      ["koi8-r", "KOI8-R, Cyrillic"],
      ["windows-1253", "Windows-1253, Greek"],
      ["windows-1254", "Windows-1254, Turkish"],
      ["windows-1256", "Windows-1256, Arabic"],
      ["cp874", "Windows-874, Thai"],
      ["gb18030", "GB 18030, Chinese"],
      ["big5", "Big5, Chinese"],
      ["shift_jis", "Shift JIS, Japanese"],
      ["euc_kr", "EUC-KR, Korean"],
    ],
  },
  {
    name: "header",
    label: "Header",
    choices: [
      ["true", "First row names the columns"],
      ["false", "None, every row is data"],
    ],
  },
];

const plain = (field: string) => field.replace(/^format\./, "");

/** Whether a problem's field is one of how the file is read. */
export const isFormat = (field: string) =>
  field === "format" || FORMAT.some(({ name }) => name === plain(field));

/** The problems' field names come with or without their prefix. */
export const concerns = (field: string | null, name: string) =>
  field !== null && plain(field) === name;

/** What was guessed for a field of the dataset; fields of the format come with or without prefix. */
export function guessOf(facts: SourceFacts | null, field: string): Guess | null {
  return facts?.guesses.find((g) => plain(g.field) === field) ?? null;
}

/** A value in words: ";" is "Semicolon ;", cp1252 is Windows-1252. */
export function inWords(name: FormatName, value: unknown): string {
  const choices = FORMAT.find((f) => f.name === name)?.choices ?? [];
  const text = String(value ?? "");
  if (name === "delimiter" && text === "") return "none, one column";
  const same = choices.find(([v]) => v === text || alike(v) === alike(text));
  if (same && name === "header") return text === "true" ? "first row" : "none";
  const title = same?.[1] ?? text;
  return name === "encoding" ? title.replace(/,.*/, "") : title;
}

const alike = (codec: string) =>
  codec
    .toLowerCase()
    .replace(/^cp(?=125)/, "windows-")
    .replace(/^(iso-?8859-?1|latin1)$/, "latin-1")
    .replace(/[-_]sig$/, "")
    .replace(/[-_]/g, "");

const OTHER: Record<string, string> = {
  quote: "Quotes",
  layout: "Layout",
  rows: "Rows",
  kind: "Kind of file",
  splits: "Splits",
};

/** What else was found out about the file, which is told and not asked: "Layout: SQuAD". */
export function otherGuesses(facts: SourceFacts | null): { label: string; guess: Guess }[] {
  return (facts?.guesses ?? []).flatMap((guess) => {
    const label = OTHER[plain(guess.field)];
    return label ? [{ label, guess }] : [];
  });
}

/** Reasons are halves of sentences: "every byte fits", "of the names of its files". */
export function sentence(reason: string): string {
  const text = reason.replace(/^of /, "because of ").replace(/\.$/, "");
  return text && `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Whether there is anything to say or to change about how the file was read. */
export function hasFormat(facts: SourceFacts | null, format: Record<string, unknown>): boolean {
  const set = FORMAT.some(({ name }) => format[name] !== null && format[name] !== undefined);
  const guessed = FORMAT.some(({ name }) => guessOf(facts, name) !== null);
  return set || guessed || otherGuesses(facts).length > 0;
}

/** What a choice in a drop-down means for the document. */
export function formatValue(name: FormatName, chosen: string): string | boolean | null {
  if (chosen === "") return null;
  return name === "header" ? chosen === "true" : chosen;
}
