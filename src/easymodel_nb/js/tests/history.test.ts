import { expect, it } from "vitest";
import { setData } from "../src/logic/graph";
import { amend, push, redo, start, undo } from "../src/logic/history";
import { three } from "./make";

const v = (epochs: number) => setData(three(), "f", { epochs });

it("undoes and redoes", () => {
  let h = push(push(start(v(1)), v(2), null, 0), v(3), null, 1);
  h = undo(undo(h));
  expect(h.present).toEqual(v(1));
  expect(undo(h)).toBe(h);
  h = redo(redo(h));
  expect(h.present).toEqual(v(3));
  expect(redo(h)).toBe(h);
});

it("drops what was undone when something new is done", () => {
  const h = push(undo(push(start(v(1)), v(2), null, 0)), v(3), null, 1);
  expect(h.future).toEqual([]);
  expect(undo(h).present).toEqual(v(1));
});

it("joins the typing in one field, but not after a pause nor with another field", () => {
  let h = push(start(v(1)), v(2), "f.epochs", 0);
  h = push(h, v(3), "f.epochs", 500);
  expect(h.past).toHaveLength(1);
  h = push(h, v(4), "f.epochs", 2500);
  h = push(h, v(5), "f.seed", 2600);
  expect(h.past).toHaveLength(3);
});

it("keeps at most 50 steps and ignores what changes nothing", () => {
  let h = start(v(0));
  for (let i = 1; i <= 80; i += 1) h = push(h, v(i), null, i);
  expect(h.past).toHaveLength(50);
  expect(push(h, h.present, null, 99)).toBe(h);
});

it("does not count the viewport as a step", () => {
  const h = amend(push(start(v(1)), v(2), null, 0), v(9));
  expect(undo(h).present).toEqual(v(1));
});
