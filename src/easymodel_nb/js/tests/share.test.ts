import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { share } from "../src/logic/share";

describe("share", () => {
  it("says what the new snapshot says, whatever was before", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (before, now) => {
        expect(share(before, now)).toEqual(now);
      }),
    );
  });
  it("keeps a whole that says the same", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(share(value, structuredClone(value))).toBe(value);
      }),
    );
  });
  it("keeps the parts that say the same", () => {
    const before = {
      seq: 1,
      items: [
        { id: "a", step: 1 },
        { id: "b", step: 5 },
      ],
    };
    const now = {
      seq: 2,
      items: [
        { id: "a", step: 2 },
        { id: "b", step: 5 },
      ],
    };
    const shared = share(before, now);
    expect(shared).toEqual(now);
    expect(shared.items[1]).toBe(before.items[1]);
    expect(shared.items[0]).not.toBe(before.items[0]);
  });
  it("tells a list from an object and a missing key from an undefined one", () => {
    expect(share({ 0: "a" }, ["a"])).toEqual(["a"]);
    expect(share({ a: undefined }, { b: undefined })).toHaveProperty("b");
    expect(share([1, 2], [1])).toEqual([1]);
  });
});
