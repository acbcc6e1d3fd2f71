/** The field of GPUs: there where it can be used, or where a document already says so. */
import { expect, test } from "vitest";
import { GROUPS, labelOf, NODE_FIELDS } from "../src/logic/fields";
import { canSweep } from "../src/logic/sweep";
import type { FinetuneData } from "../src/protocol";
import { DEFAULTS } from "../src/protocol";

const data = (more: Partial<FinetuneData> = {}) =>
  ({ ...DEFAULTS.finetune, ...more }) as FinetuneData;
const field = GROUPS.flatMap((g) => g.fields).find((f) => f.name === "processes");

test("one is the default, and a machine with one GPU is not asked", () => {
  expect(DEFAULTS.finetune?.processes).toBe(1);
  expect(field?.when?.(data(), 1)).toBe(false);
  expect(field?.when?.(data(), 4)).toBe(true);
  expect(field?.when?.(data({ processes: 8 }), 1)).toBe(true);
  expect(NODE_FIELDS.some((f) => f.name === "processes")).toBe(false);
});

test("it is called by what it counts, and is one for all runs of a node", () => {
  expect(labelOf("processes")).toBe("GPUs");
  expect(canSweep("processes")).toBe(false);
});
