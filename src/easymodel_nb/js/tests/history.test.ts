import { expect, it } from "vitest";
import { setData } from "../src/logic/graph";
import { amend, close, LIMIT, push, redo, start, undo } from "../src/logic/history";
import { three } from "./make";

const v = (epochs: number) => setData(three(), "f", { epochs });

it("undoes and redoes", () => {
  let h = push(push(start(v(1)), v(2), { key: null, now: 0 }), v(3), { key: null, now: 1 });
  h = undo(undo(h));
  expect(h.present).toEqual(v(1));
  expect(undo(h)).toBe(h);
  h = redo(redo(h));
  expect(h.present).toEqual(v(3));
  expect(redo(h)).toBe(h);
});

it("drops what was undone when something new is done", () => {
  const h = push(undo(push(start(v(1)), v(2), { key: null, now: 0 })), v(3), { key: null, now: 1 });
  expect(h.future).toEqual([]);
  expect(undo(h).present).toEqual(v(1));
});

it("joins the changes of one key until it is closed, or comes too late", () => {
  const within = 1000;
  let h = push(start(v(1)), v(2), { key: "f.epochs", now: 0 });
  h = push(h, v(3), { key: "f.epochs", now: 60_000 });
  expect(h.past).toEqual([v(1)]);
  h = push(h, v(4), { key: "f.seed", now: 60_000 });
  h = push(h, v(5), { key: "f.seed", now: 61_000, within });
  expect(h.past).toEqual([v(1), v(3)]);
  h = push(h, v(6), { key: "f.seed", now: 62_001, within });
  expect(h.past).toEqual([v(1), v(3), v(5)]);
  h = push(close(h), v(7), { key: "f.seed", now: 62_001 });
  expect(h.past).toEqual([v(1), v(3), v(5), v(6)]);
  expect(close(undo(h))).toEqual(undo(h));
});

it("has no step for what was typed and deleted again", () => {
  let h = push(start(v(1)), v(2), { key: "f.epochs", now: 0 });
  h = push(h, v(1), { key: "f.epochs", now: 1 });
  expect(h.past).toEqual([]);
  h = push(h, v(3), { key: "f.epochs", now: 2 });
  expect(h.past).toEqual([v(1)]);
});

it("keeps at most 200 steps and ignores what changes nothing", () => {
  let h = start(v(0));
  for (let i = 1; i <= 300; i += 1) h = push(h, v(i), { key: null, now: i });
  expect(h.past).toHaveLength(LIMIT);
  expect(h.past[0]).toEqual(v(100));
  expect(push(h, h.present, { key: null, now: 99 })).toBe(h);
});

it("does not count the viewport as a step", () => {
  const h = amend(push(start(v(1)), v(2), { key: null, now: 0 }), v(9));
  expect(undo(h).present).toEqual(v(1));
});
