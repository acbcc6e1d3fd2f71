import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  Committer,
  type CommitView,
  DEBOUNCE_MS,
  type Draft,
  RESEND_MS,
} from "../src/logic/commit";
import { setData } from "../src/logic/graph";
import { Failure } from "../src/logic/rpc";
import type { CommitParams, CommitResult, Workflow } from "../src/protocol";
import { three } from "./make";

/** A kernel that answers when told to. */
function setup(draft: Draft | null = null) {
  const sent: {
    params: CommitParams;
    answer: (result: CommitResult) => Promise<void>;
    fail: (code: string, data?: Record<string, unknown>) => Promise<void>;
  }[] = [];
  const adopted: [Workflow, string][] = [];
  const kept: (Draft | null)[] = [];
  let view: CommitView | undefined;
  const committer = new Committer({
    client: "test",
    send: (params) =>
      new Promise((resolve, reject) => {
        const settle = async () => {
          await vi.advanceTimersByTimeAsync(0);
        };
        sent.push({
          params,
          answer: (result) => {
            resolve(result);
            return settle();
          },
          fail: (code, data = {}) => {
            reject(new Failure({ code, message: code, data }));
            return settle();
          },
        });
      }),
    adopt: (document, how) => adopted.push([document, how]),
    changed: (now) => {
      view = now;
    },
    draft: () => draft,
    keep: (_, now) => kept.push(now),
  });
  committer.receive({ seq: 1, held: null, project_id: "p", rev: 1, document: three() });
  return { committer, sent, adopted, kept, view: () => view as CommitView };
}

const edited = (epochs: number) => setData(three(), "f", { epochs });
const last = <T>(list: T[]): T => list.at(-1) as T;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the commit protocol", () => {
  it("sends one commit 300 ms after the last of several edits", async () => {
    const { committer, sent, view } = setup();
    committer.edit(edited(4));
    await vi.advanceTimersByTimeAsync(DEBOUNCE_MS - 10);
    committer.edit(edited(5));
    await vi.advanceTimersByTimeAsync(DEBOUNCE_MS - 10);
    expect(sent).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(10);
    expect(sent).toHaveLength(1);
    expect(last(sent).params).toMatchObject({ base_rev: 1, project_id: "p", document: edited(5) });
    expect(view()).toMatchObject({ unsaved: 2, saving: true });
    await last(sent).answer({ rev: 2 });
    expect(view()).toMatchObject({ unsaved: 0, saving: false });
  });

  it("flushes at once and answers with the revision that holds the edit", async () => {
    const { committer, sent } = setup();
    committer.edit(edited(7));
    const flushed = committer.flush();
    expect(sent).toHaveLength(1);
    await last(sent).answer({ rev: 2 });
    await expect(flushed).resolves.toBe(2);
    await expect(committer.flush()).resolves.toBe(2);
    expect(sent).toHaveLength(1);
  });

  it("sends what was edited while a commit was under way, on top of its revision", async () => {
    const { committer, sent } = setup();
    committer.edit(edited(4));
    void committer.flush();
    committer.edit(edited(5));
    const flushed = committer.flush();
    expect(sent).toHaveLength(1);
    await last(sent).answer({ rev: 2 });
    expect(sent).toHaveLength(2);
    expect(last(sent).params).toMatchObject({ base_rev: 2, document: edited(5) });
    await last(sent).answer({ rev: 3 });
    await expect(flushed).resolves.toBe(3);
  });

  it("sends an unanswered commit again, and takes its lost success for one", async () => {
    const { committer, sent, view } = setup();
    committer.edit(edited(4));
    await vi.advanceTimersByTimeAsync(DEBOUNCE_MS);
    await last(sent).fail("timeout");
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toHaveLength(2);
    // The first one had arrived after all: what stands there is ours.
    await last(sent).fail("conflict", { rev: 2, document: edited(4) });
    expect(view()).toMatchObject({ unsaved: 0, conflict: null });
    expect(committer.rev).toBe(2);
  });

  it("waits before it tries again when there is no connection", async () => {
    const { committer, sent } = setup();
    committer.edit(edited(4));
    await vi.advanceTimersByTimeAsync(DEBOUNCE_MS);
    await last(sent).fail("disconnected");
    await vi.advanceTimersByTimeAsync(RESEND_MS - 1);
    expect(sent).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent).toHaveLength(2);
  });

  it("adopts a newer document when nothing local is unsaved", () => {
    const { committer, adopted } = setup();
    committer.receive({ seq: 2, held: null, project_id: "p", rev: 5, document: edited(9) });
    expect(last(adopted)).toEqual([edited(9), "update"]);
    expect(committer.rev).toBe(5);
  });

  it("does not adopt an older document, nor its own echo", async () => {
    const { committer, sent, adopted } = setup();
    committer.receive({ seq: 2, held: null, project_id: "p", rev: 1, document: edited(9) });
    committer.edit(edited(4));
    const flushed = committer.flush();
    committer.receive({ seq: 3, held: null, project_id: "p", rev: 2, document: edited(4) });
    await expect(flushed).resolves.toBe(2);
    await last(sent).answer({ rev: 2 });
    expect(adopted).toHaveLength(1);
  });

  it("asks on a conflict, and loses neither side", async () => {
    const { committer, sent, adopted, view } = setup();
    committer.edit(edited(4));
    const flushed = committer.flush();
    const refused = expect(flushed).rejects.toThrow("changed elsewhere");
    await last(sent).fail("conflict", { rev: 6, document: edited(9) });
    await refused;
    expect(view().conflict).toEqual({ rev: 6, document: edited(9) });
    expect(adopted).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toHaveLength(1);
    committer.resolve("mine");
    expect(last(sent).params).toMatchObject({ base_rev: 6, document: edited(4) });
    await last(sent).answer({ rev: 7 });
    expect(view()).toMatchObject({ unsaved: 0, conflict: null });
  });

  it("takes theirs when asked to", async () => {
    const { committer, sent, adopted, view } = setup();
    committer.edit(edited(4));
    await vi.advanceTimersByTimeAsync(DEBOUNCE_MS);
    await last(sent).fail("conflict", { rev: 6, document: edited(9) });
    committer.resolve("theirs");
    expect(last(adopted)).toEqual([edited(9), "update"]);
    expect(view()).toMatchObject({ unsaved: 0, conflict: null });
    expect(sent).toHaveLength(1);
  });

  it("sends the last edits to the project they belong to when another is opened", () => {
    const { committer, sent, adopted } = setup();
    committer.edit(edited(4));
    committer.receive({ seq: 2, held: null, project_id: "q", rev: 3, document: three() });
    expect(sent).toHaveLength(1);
    expect(last(sent).params).toMatchObject({ project_id: "p", base_rev: 1, document: edited(4) });
    expect(last(adopted)).toEqual([three(), "open"]);
    expect(committer.rev).toBe(3);
  });

  it("keeps an edit that was refused for a reason, with the sentence", async () => {
    const { committer, sent, view } = setup();
    committer.edit(edited(4));
    await vi.advanceTimersByTimeAsync(DEBOUNCE_MS);
    await last(sent).fail("refused");
    expect(view()).toMatchObject({ unsaved: 1, failure: "refused" });
  });

  it("keeps a draft while something is unsaved", async () => {
    const { committer, sent, kept } = setup();
    committer.edit(edited(4));
    expect(last(kept)).toEqual({ rev: 1, document: edited(4) });
    await vi.advanceTimersByTimeAsync(DEBOUNCE_MS);
    await last(sent).answer({ rev: 2 });
    expect(last(kept)).toBeNull();
  });

  it("restores a draft of the same revision and commits it", async () => {
    const { sent, adopted } = setup({ rev: 1, document: edited(8) });
    expect(last(adopted)).toEqual([edited(8), "update"]);
    await vi.advanceTimersByTimeAsync(DEBOUNCE_MS);
    expect(last(sent).params).toMatchObject({ base_rev: 1, document: edited(8) });
  });

  it("asks about a draft of another revision", () => {
    const { view } = setup({ rev: 0, document: edited(8) });
    expect(view()).toMatchObject({ unsaved: 1, conflict: { rev: 1, document: three() } });
  });
});
