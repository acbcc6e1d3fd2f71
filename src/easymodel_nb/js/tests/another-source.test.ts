import { describe, expect, it } from "vitest";
import { setSource } from "../src/logic/another-source";
import { flow, node } from "./make";

const PARTS = {
  config: "fr",
  revision: "v1",
  train_split: "train",
  eval_split: "test",
  format: { delimiter: ";" },
};
const doc = flow([
  node("d", "dataset", { source: "a/b", eval_fraction: 0.2, later: 1, ...PARTS }),
  node("m", "model", { source: "a/m", revision: "v2", config: "kept" }),
]);
const data = (of = doc, id = "d") => of.nodes.find((n) => n.id === id)?.data;

describe("another source", () => {
  it("lets go of what belonged to the former one, and of nothing else", () => {
    expect(data(setSource(doc, "d", "a/c"))).toEqual({
      source: "a/c",
      eval_fraction: 0.2,
      later: 1,
    });
    expect(data(setSource(doc, "m", "a/n"), "m")).toEqual({ source: "a/n", config: "kept" });
    expect(data(doc)).toMatchObject(PARTS);
  });

  it("is not the same name with a blank, nor one typed and taken back", () => {
    expect(data(setSource(doc, "d", "a/b "))).toMatchObject(PARTS);
    const first = doc.nodes[0];
    const typed = setSource(setSource(doc, "d", "a/", first), "d", "a", first);
    expect(data(typed)).not.toHaveProperty("config");
    expect(setSource(typed, "d", "a/b", first)).toEqual(doc);
  });

  it("keeps what was chosen before there was one, or of a file to be chosen again", () => {
    for (const source of ["", "choose:rows.csv"]) {
      const before = flow([node("d", "dataset", { ...PARTS, source })]);
      expect(data(setSource(before, "d", "rows.csv"))).toEqual({ ...PARTS, source: "rows.csv" });
    }
  });
});
