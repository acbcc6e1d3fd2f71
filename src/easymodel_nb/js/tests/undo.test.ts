/** Undo and redo against a model that keeps every document it saw. */
import fc from "fast-check";
import { expect, it } from "vitest";
import * as history from "../src/logic/history";
import { refusal } from "../src/logic/ports";
import type { Workflow } from "../src/protocol";
import { anEdit, type Edit } from "./arbitrary";
import { three } from "./make";

/** Milliseconds; many documents on a machine that does much else. */
const SLOW = 60_000;

type Step =
  | { do: "edit"; edit: Edit; key: string | null; after: number }
  | { do: "undo" | "redo" | "close" | "look" };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("edit" as const),
      edit: anEdit,
      key: fc.constantFrom(null, null, "a", "b"),
      after: fc.constantFrom(0, 400, 2_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom("undo" as const, "redo", "close", "look") }),
  },
);
const WITHIN = 1_000;

/** The plain way: a list of documents and where in it one is. */
class Model {
  docs: Workflow[] = [structuredClone(three())];
  at = 0;
  key: string | null = null;
  time = 0;

  get now(): Workflow {
    return this.docs[this.at] as Workflow;
  }
  edit(doc: Workflow, key: string | null, time: number): void {
    const joins = key !== null && key === this.key && time - this.time <= WITHIN && this.at > 0;
    const next = structuredClone(doc);
    const back = joins && JSON.stringify(this.docs[this.at - 1]) === JSON.stringify(next);
    if (back) this.at -= 1;
    else if (!joins) this.at += 1;
    this.docs = [...this.docs.slice(0, this.at), next];
    this.key = back ? null : key;
    this.time = time;
  }
  go(by: number): void {
    const to = this.at + by;
    if (to < 0 || to >= this.docs.length) return;
    this.at = to;
    this.key = null;
  }
}

it(
  "is the exact inverse, whatever was edited",
  () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: "max" }), (steps) => {
        const model = new Model();
        let h = history.start(three());
        let now = 0;
        for (const s of steps) {
          if (s.do === "edit") {
            now += s.after;
            const next = s.edit(h.present);
            if (next !== h.present) model.edit(next, s.key, now);
            h = history.push(h, next, { key: s.key, now, within: WITHIN });
          } else if (s.do === "undo") {
            model.go(-1);
            h = history.undo(h);
          } else if (s.do === "redo") {
            model.go(1);
            h = history.redo(h);
          } else if (s.do === "close") {
            model.key = null;
            h = history.close(h);
          }
          expect(h.present).toEqual(model.now);
        }
        // All the way back and forth again, each document as it was.
        const { at, docs } = model;
        for (let i = at - 1; i >= 0; i -= 1) {
          h = history.undo(h);
          expect(h.present).toEqual(docs[i]);
        }
        expect(history.undo(h)).toBe(h);
        for (const doc of docs.slice(1)) {
          h = history.redo(h);
          expect(h.present).toEqual(doc);
        }
        expect(history.redo(h)).toBe(h);
      }),
    );
  },
  SLOW,
);

it(
  "no edit changes the document it was made from, nor makes one that may not be",
  () => {
    fc.assert(
      fc.property(fc.array(anEdit, { maxLength: 30, size: "max" }), (list) => {
        let doc = three();
        for (const edit of list) {
          const before = structuredClone(doc);
          const next = edit(doc);
          expect(doc).toEqual(before);
          doc = next;
          expect(new Set(doc.nodes.map((n) => n.id)).size).toBe(doc.nodes.length);
          expect(new Set(doc.edges.map((e) => e.id)).size).toBe(doc.edges.length);
        }
        for (const edge of doc.edges) {
          const others = { ...doc, edges: doc.edges.filter((e) => e !== edge) };
          expect(refusal(others, edge)).toBeNull();
          const same = others.edges.filter(
            (e) => e.target === edge.target && e.targetHandle === edge.targetHandle,
          );
          expect(same).toEqual([]);
        }
      }),
    );
  },
  SLOW,
);
