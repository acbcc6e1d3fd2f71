import { expect, test } from "vitest";
import { mirrorLine, mirrorState } from "../src/logic/mirror";
import type { Mirror } from "../src/protocol";

const NOW = new Date(2026, 0, 2, 15, 0).getTime();
const at = (day: number, hour: number) => new Date(2026, 0, day, hour, 2).toISOString();

function mirror(changes: Partial<Mirror> = {}): Mirror {
  return {
    place: "Drive",
    saved: at(2, 14),
    pending: false,
    problem: null,
    note: null,
    questions: [],
    declined: [],
    free: null,
    safe: {},
    away: {},
    ...changes,
  };
}

test("what was saved today has its time, what was saved before its day", () => {
  expect(mirrorLine(mirror(), NOW)).toBe("Saved to Drive 14:02");
  expect(mirrorLine(mirror({ saved: at(1, 14) }), NOW)).toBe("Saved to Drive 1 Jan");
});

test("a problem is said before all else, a question before what is pending", () => {
  const question = { run: "r", step: 4, bytes: 5 };
  expect(mirrorState(mirror({ problem: "full", questions: [question], pending: true }))).toBe(
    "failed",
  );
  expect(mirrorState(mirror({ questions: [question], pending: true }))).toBe("asking");
  expect(mirrorState(mirror({ pending: true }))).toBe("pending");
  expect(mirrorState(mirror({ saved: null }))).toBe("pending");
  expect(mirrorState(mirror())).toBe("saved");
});
