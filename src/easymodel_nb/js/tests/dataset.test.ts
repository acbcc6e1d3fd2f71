import { describe, expect, it } from "vitest";
import {
  concerns,
  formatValue,
  guessOf,
  hasFormat,
  inWords,
  isFormat,
  otherGuesses,
  sentence,
} from "../src/logic/dataset";
import { sourceOptions, taskFed } from "../src/logic/sources";
import { type Catalog, DEFAULTS } from "../src/protocol";
import { facts, flow, node, three } from "./make";

describe("how a file is read", () => {
  const guessed = facts({
    guesses: [
      { field: "format.delimiter", value: ";", reason: "" },
      { field: "header", value: false, reason: "" },
    ],
  });

  it("finds a guess by its name, with or without the prefix", () => {
    expect(guessOf(guessed, "delimiter")?.value).toBe(";");
    expect(guessOf(guessed, "header")?.value).toBe(false);
    expect(guessOf(guessed, "encoding")).toBeNull();
    expect(guessOf(null, "header")).toBeNull();
    expect([isFormat("format"), isFormat("format.header"), isFormat("source")]).toEqual([
      true,
      true,
      false,
    ]);
    expect(concerns("format.header", "header") && concerns("header", "header")).toBe(true);
  });

  it("is shown where something was guessed or chosen", () => {
    const open = DEFAULTS.dataset?.format as Record<string, unknown>;
    expect(hasFormat(guessed, open)).toBe(true);
    expect(hasFormat(facts(), open)).toBe(false);
    expect(hasFormat(null, { ...open, encoding: "utf-8" })).toBe(true);
  });

  it.each([
    ["delimiter", ";", "Semicolon ;"],
    ["delimiter", "\t", "Tab"],
    ["delimiter", "¦", "¦"],
    ["encoding", "cp1252", "Windows-1252"],
    ["encoding", "utf_8_sig", "UTF-8"],
    ["encoding", "ISO-8859-1", "Latin-1"],
    ["encoding", "mac_roman", "mac_roman"],
    ["header", true, "first row"],
    ["header", false, "none"],
  ] as const)("says %s %j in words", (name, value, words) => {
    expect(inWords(name, value)).toBe(words);
  });

  it("has its reason told as a sentence, and what cannot be changed told too", () => {
    expect(sentence("every byte fits")).toBe("Every byte fits.");
    expect(sentence("of the names of its files")).toBe("Because of the names of its files.");
    expect(sentence("")).toBe("");
    const layout = { field: "format.layout", value: "SQuAD", reason: "" };
    const found = facts({ guesses: [layout, { field: "odd", value: "1", reason: "" }] });
    expect(otherGuesses(found)).toEqual([{ label: "Layout", guess: layout }]);
    expect(hasFormat(found, {})).toBe(true);
    expect(inWords("delimiter", "")).toBe("none, one column");
  });

  it("becomes the document's value", () => {
    expect(formatValue("header", "false")).toBe(false);
    expect(formatValue("delimiter", "\t")).toBe("\t");
    expect(formatValue("encoding", "")).toBeNull();
  });
});

describe("what can be chosen as a source", () => {
  const option = (name: string, ...tasks: string[]) => ({
    source: `builtin:${name}`,
    title: name,
    detail: "small",
    tasks,
  });
  const catalog = {
    models: [option("gpt", "generation"), option("t5", "seq2seq")],
    datasets: [option("requests", "generation", "seq2seq")],
    variables: [{ name: "df", kind: "DataFrame", rows: 1200, columns: ["a", "b", "c", "d", "e"] }],
  } as unknown as Catalog;

  it("lists what is made for the task first and says what the rest is for", () => {
    const doc = three();
    expect(taskFed(doc, "m")).toBe("generation");
    doc.nodes[2] = node("f", "finetune", { task: "seq2seq" });
    const listed = sourceOptions("model", catalog, taskFed(doc, "m"));
    expect(listed.map((o) => o.title)).toEqual(["t5", "gpt"]);
    expect(listed[1]?.detail).toBe("small; for generation");
    const hit = { detail: "", tasks: ["generation"], gated: false };
    const more = sourceOptions("model", catalog, taskFed(doc, "m"), [
      { ...hit, source: "acme/far", title: "acme/far", origin: "hub", offline: false },
      { ...hit, source: "acme/near", title: "acme/near", origin: "cache", offline: true },
    ]);
    const groups = new Set(more.map((o) => o.group));
    expect([...groups]).toEqual(["Built in", "Downloaded before", "On the Hub"]);
    expect(more.filter((o) => o.found).map((o) => o.value)).toEqual(["acme/near", "acme/far"]);
    const alone = sourceOptions("model", catalog, taskFed(flow([node("m", "model")]), "m"));
    expect(alone.map((o) => o.title)).toEqual(["gpt", "t5"]);
  });

  it("lists the notebook's variables first", () => {
    const listed = sourceOptions("dataset", catalog, taskFed(three(), "d"));
    expect(listed.map((o) => [o.value, o.group])).toEqual([
      ["variable:df", "In this notebook"],
      ["builtin:requests", "Built in"],
    ]);
    expect(listed[0]?.detail).toBe("DataFrame, 1,200 rows: a, b, c, d …");
  });
});
