import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Failure, LIMIT_MS, type Request, Rpc } from "../src/logic/rpc";

let sent: Request[];
let rpc: Rpc;
const id = (i: number) => sent[i]?.id;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  rpc = new Rpc((request) => sent.push(request));
});
afterEach(() => {
  vi.useRealTimers();
});

it("gives each reply to its request, in any order", async () => {
  const first = rpc.call("train", { node: "a" });
  const second = rpc.call("train", { node: "b" });
  rpc.receive({ id: id(1), ok: true, result: { runs: ["b"] } });
  rpc.receive({ id: id(0), ok: true, result: { runs: ["a"] } });
  await expect(first).resolves.toEqual({ runs: ["a"] });
  await expect(second).resolves.toEqual({ runs: ["b"] });
});

it("rejects with code, sentence and problems", async () => {
  const call = rpc.call("train", {});
  const problems = [{ code: "input.missing" }];
  rpc.receive({ id: id(0), ok: false, error: { code: "refused", message: "No.", problems } });
  await expect(call).rejects.toMatchObject({ code: "refused", message: "No.", problems });
});

it("says that the kernel is busy after 30 s, and ignores the late reply", async () => {
  const call = rpc.call("pull", {});
  const failed = expect(call).rejects.toThrow(/kernel is busy/);
  await vi.advanceTimersByTimeAsync(LIMIT_MS);
  await failed;
  expect(rpc.receive({ id: id(0), ok: true, result: {} })).toBe(false);
});

it("ignores messages that are no replies of ours", () => {
  expect(rpc.receive({ id: "x", ok: true })).toBe(false);
  expect(rpc.receive("text")).toBe(false);
  expect(rpc.receive(null)).toBe(false);
});

it("turns a dead connection into a sentence", async () => {
  rpc = new Rpc(() => {
    throw new Error("closed");
  });
  await expect(rpc.call("pull", {})).rejects.toBeInstanceOf(Failure);
});

it("rejects everything when it is disposed", async () => {
  const call = rpc.call("pull", {});
  rpc.dispose();
  await expect(call).rejects.toMatchObject({ code: "closed" });
});
