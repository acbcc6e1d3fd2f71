import { describe, expect, it } from "vitest";
import { Rpc } from "../src/logic/rpc";
import { type Call, fetchZip, fileName, isOpen, jobOf, look, whyNotSent } from "../src/logic/take";
import type { Job } from "../src/protocol";
import { run } from "./make";

const job = (part: Partial<Job> = {}): Job => ({
  id: "j1",
  kind: "zip",
  run: "r1",
  state: "done",
  message: "",
  done: null,
  total: null,
  problem: null,
  path: "/home/runs/r1/model.zip",
  url: null,
  ...part,
});

/** A kernel with a file, which it gives in parts of `most` bytes. */
function serving(content: Uint8Array<ArrayBuffer>, most: number) {
  const asked: number[] = [];
  const call = (async (_method: string, { offset }: { offset: number }) => {
    asked.push(offset);
    const part = content.slice(offset, offset + most);
    return { total: content.length, buffer: new DataView(part.buffer) };
  }) as unknown as Call;
  return { asked, call };
}

describe("a zip in parts", () => {
  it("arrives whole and in order", async () => {
    const content = Uint8Array.from({ length: 2500 }, (_, i) => i % 251);
    const { asked, call } = serving(content, 1000);
    const heard: number[] = [];
    const blob = await fetchZip(call, job({ total: 2500 }), (n) => heard.push(n));
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(content);
    expect(asked).toEqual([0, 1000, 2000]);
    expect(heard).toEqual([1000, 2000, 2500]);
  });

  it("does not wait for ever for bytes that do not come", async () => {
    const call = (async () => ({ total: 10 })) as unknown as Call;
    await expect(fetchZip(call, job({ total: 10 }), () => {})).rejects.toThrow("without its bytes");
  });

  it("comes through the reply's buffer", async () => {
    const sent: { id: string }[] = [];
    const rpc = new Rpc((request) => sent.push(request));
    const asked = rpc.call("download_part", { job: "j1", offset: 0 });
    const bytes = new DataView(Uint8Array.of(1, 2, 3).buffer);
    rpc.receive({ id: sent[0]?.id, ok: true, result: { total: 3 } }, [bytes]);
    expect(await asked).toEqual({ total: 3, buffer: bytes });
  });
});

describe("a look before a push", () => {
  it("asks again while the Hub is being asked", async () => {
    const answers = [{ checking: true }, { checking: true }, { checking: false, repo: "a/b" }];
    let waits = 0;
    const call = (async () => answers.shift()) as unknown as Call;
    const wanted = { run: "r1", repo: "b", private: true, merged: false };
    const plan = await look(call, wanted, async () => {
      waits += 1;
    });
    expect(plan.repo).toBe("a/b");
    expect(waits).toBe(2);
  });
});

describe("what is offered", () => {
  it("sends finished runs alone", () => {
    expect(whyNotSent(run({ status: "finished" }))).toBeNull();
    expect(whyNotSent(run({ status: "stopped" }))).toContain("was stopped");
    expect(whyNotSent(run({ status: "failed" }))).toContain("has failed");
    expect(whyNotSent(run({ status: "interrupted" }))).toContain("was interrupted");
  });

  it("finds the newest job of a run and kind", () => {
    const jobs = [job({ id: "new" }), job({ id: "old" }), job({ id: "x", run: "r2" })];
    expect(jobOf(jobs, "r1", "zip")?.id).toBe("new");
    expect(jobOf(jobs, "r1", "push")).toBeUndefined();
    expect([undefined, job(), job({ state: "waiting" })].map(isOpen)).toEqual([false, false, true]);
  });

  it("names a file by its path on any system", () => {
    expect(fileName("/a/b/model.zip")).toBe("model.zip");
    expect(fileName("C:\\a\\model.zip")).toBe("model.zip");
  });
});
