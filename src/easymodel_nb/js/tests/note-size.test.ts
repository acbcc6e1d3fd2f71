import { expect, it } from "vitest";
import { noteSize, resizeNote } from "../src/logic/note-size";
import { flow, node } from "./make";

it("a note is as large as was said, within what can be read and seen", () => {
  const doc = flow([node("n", "note", { text: "why", later: 1 })]);
  expect(noteSize(doc.nodes[0])).toEqual({ width: 200, height: 56 });
  const large = resizeNote(doc, "n", { width: 320.4, height: 5000 });
  expect(large.nodes[0]?.data).toEqual({ text: "why", later: 1, width: 320, height: 1200 });
  expect(noteSize(resizeNote(large, "n", { width: 1, height: 1 }).nodes[0])).toEqual({
    width: 144,
    height: 56,
  });
  expect(resizeNote(doc, "n", { width: 200, height: 12 })).toBe(doc);
});

it("what others wrote there is no size", () => {
  for (const width of ["wide", null, Number.NaN, Number.POSITIVE_INFINITY, -4]) {
    const { width: drawn } = noteSize(node("n", "note", { width }));
    expect(drawn).toBe(width === -4 ? 144 : 200);
  }
});
