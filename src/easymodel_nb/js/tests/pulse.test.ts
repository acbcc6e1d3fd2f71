import { describe, expect, it } from "vitest";
import { decide, type Pulse } from "../src/logic/pulse";

const NOW = 1_000_000;
const ago = (seconds: number) => NOW - seconds * 1000;
const pulse = (part: Partial<Pulse>): Pulse => ({
  now: NOW,
  colab: false,
  visible: true,
  active: true,
  touchedAt: ago(3600),
  heardAt: NOW,
  pulledAt: ago(3600),
  waitingSince: null,
  ...part,
});
const pull = (part: Partial<Pulse>) => decide(pulse(part)).pull;
const lost = (part: Partial<Pulse>) => decide(pulse(part)).lost;

describe("pull", () => {
  it("twice a second in Colab while a run is active", () => {
    expect(pull({ colab: true, pulledAt: ago(0.5) })).toBe(true);
    expect(pull({ colab: true, pulledAt: ago(0.3) })).toBe(false);
  });
  it("elsewhere after 3 s of silence", () => {
    expect(pull({ heardAt: ago(3) })).toBe(true);
    expect(pull({ heardAt: ago(2) })).toBe(false);
  });
  it("not on a hidden page, not for an idle one unless it was touched", () => {
    expect(pull({ heardAt: ago(9), visible: false })).toBe(false);
    expect(pull({ heardAt: ago(9), active: false })).toBe(false);
    expect(pull({ heardAt: ago(9), active: false, touchedAt: ago(59) })).toBe(true);
    expect(pull({ heardAt: ago(90), active: false, touchedAt: ago(61) })).toBe(false);
  });
  it("does not pile up unanswered pulls", () => {
    const silent = { colab: true, waitingSince: ago(2), pulledAt: ago(2) };
    expect(pull(silent)).toBe(false);
    expect(pull({ ...silent, pulledAt: ago(5), waitingSince: ago(5) })).toBe(true);
  });
});

describe("lost", () => {
  it("when 10 s passed since something was asked and nothing came", () => {
    expect(lost({ waitingSince: ago(10) })).toBe(true);
    expect(lost({ waitingSince: ago(9) })).toBe(false);
    expect(lost({ waitingSince: null, heardAt: ago(600) })).toBe(false);
  });

  it("within 15 s of a kernel's death while a run is active, and no sooner than 10", () => {
    for (const colab of [false, true]) {
      let [pulledAt, waitingSince, found] = [ago(60), null as number | null, 0];
      for (let ms = 0; ms <= 20_000 && !found; ms += 500) {
        const now = NOW + ms;
        const verdict = decide(pulse({ colab, now, heardAt: NOW, pulledAt, waitingSince }));
        if (verdict.lost) found = ms;
        if (verdict.pull) {
          pulledAt = now;
          waitingSince ??= now;
        }
      }
      expect(found).toBeGreaterThanOrEqual(10_000);
      expect(found).toBeLessThanOrEqual(15_000);
    }
  });
});
