import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  Committer,
  type CommitView,
  DEBOUNCE_MS,
  type Draft,
  type Left,
  RESEND_MS,
  YOUNG_MS,
} from "../src/logic/commit";
import { setData } from "../src/logic/graph";
import { Failure } from "../src/logic/rpc";
import type { CommitParams, CommitResult, Workflow } from "../src/protocol";
import { three } from "./make";

/** A kernel that answers when told to. */
function setup(drafts: Left[] = []) {
  const sent: {
    params: CommitParams;
    answer: (result: CommitResult) => Promise<void>;
    fail: (code: string, data?: Record<string, unknown>) => Promise<void>;
  }[] = [];
  const adopted: [Workflow, string][] = [];
  const kept: (Draft | null)[] = [];
  const dropped: string[] = [];
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
    drafts: () => drafts.filter((d) => !dropped.includes(d.key)),
    keep: (_, now) => kept.push(now),
    drop: (key) => dropped.push(key),
  });
  committer.receive({ seq: 1, held: null, project_id: "p", rev: 1, document: three() });
  return { committer, sent, adopted, kept, dropped, view: () => view as CommitView };
}

const state = (project_id: string, rev: number) => ({
  seq: rev,
  held: null,
  project_id,
  rev,
  document: three(),
});
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
    expect(view()).toMatchObject({ unsaved: 2, unchecked: true, saving: true });
    await last(sent).answer({ rev: 2 });
    expect(view()).toMatchObject({ unsaved: 0, unchecked: false, saving: false });
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

  it("asks where both changed one field, and loses neither side", async () => {
    const { committer, sent, adopted, view } = setup();
    committer.edit(edited(4));
    const flushed = committer.flush();
    const refused = expect(flushed).rejects.toThrow("changed elsewhere");
    await last(sent).fail("conflict", { rev: 6, document: edited(9) });
    await refused;
    const clashes = [{ node: "f", field: "epochs", mine: 4, theirs: 9 }];
    expect(view().conflict).toEqual({ rev: 6, document: edited(9), clashes });
    expect(adopted).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toHaveLength(1);
    committer.resolve("mine");
    expect(last(sent).params).toMatchObject({ base_rev: 6, document: edited(4) });
    await last(sent).answer({ rev: 7 });
    expect(view()).toMatchObject({ unsaved: 0, conflict: null });
  });

  it("takes theirs when asked to, and keeps what nobody else changed", async () => {
    const { committer, sent, adopted, view } = setup();
    committer.edit(setData(edited(4), "f", { seed: 1 }));
    await vi.advanceTimersByTimeAsync(DEBOUNCE_MS);
    await last(sent).fail("conflict", { rev: 6, document: edited(9) });
    committer.resolve("theirs");
    expect(last(adopted)).toEqual([setData(edited(9), "f", { seed: 1 }), "update"]);
    expect(last(sent).params).toMatchObject({ base_rev: 6 });
    await last(sent).answer({ rev: 7 });
    expect(view()).toMatchObject({ unsaved: 0, conflict: null });
  });

  it("joins edits of different fields without a word", async () => {
    const { committer, sent, adopted, view } = setup();
    committer.edit(edited(4));
    const flushed = committer.flush();
    await last(sent).fail("conflict", { rev: 6, document: setData(three(), "f", { seed: 1 }) });
    const both = setData(edited(4), "f", { seed: 1 });
    expect(last(adopted)).toEqual([both, "merge"]);
    expect(view().conflict).toBeNull();
    expect(last(sent).params).toMatchObject({ base_rev: 6, document: both });
    await last(sent).answer({ rev: 7 });
    await expect(flushed).resolves.toBe(7);
  });

  it("joins a foreign revision that comes before the commit was sent", () => {
    const { committer, sent, adopted } = setup();
    committer.edit(edited(4));
    committer.receive({ ...state("p", 2), document: setData(three(), "f", { seed: 1 }) });
    const both = setData(edited(4), "f", { seed: 1 });
    expect(last(adopted)).toEqual([both, "merge"]);
    expect(last(sent).params).toMatchObject({ base_rev: 2, document: both });
  });

  it("asks no more when the other side took its change back", async () => {
    const { committer, sent, view } = setup();
    committer.edit(edited(4));
    await vi.advanceTimersByTimeAsync(DEBOUNCE_MS);
    await last(sent).fail("conflict", { rev: 6, document: edited(9) });
    committer.receive({ ...state("p", 5), document: edited(8) }); // older than what is known
    expect(view().conflict?.rev).toBe(6);
    committer.receive(state("p", 7));
    expect(view().conflict).toBeNull();
    expect(last(sent).params).toMatchObject({ base_rev: 7, document: edited(4) });
  });

  it("sends what may have arrived again as it was, and what came after it then", async () => {
    const { committer, sent } = setup();
    committer.edit(edited(4));
    await vi.advanceTimersByTimeAsync(DEBOUNCE_MS);
    committer.edit(edited(5));
    await last(sent).fail("timeout");
    await vi.advanceTimersByTimeAsync(0);
    expect(last(sent).params).toMatchObject({ base_rev: 1, document: edited(4) });
    // It had arrived, and another tab edited what it made: only that is theirs.
    const theirs = setData(edited(4), "f", { seed: 1 });
    await last(sent).fail("conflict", { rev: 3, document: theirs });
    expect(last(sent).params).toMatchObject({
      base_rev: 3,
      document: setData(edited(5), "f", { seed: 1 }),
    });
  });

  it("goes on saving a project that was left, and comes back to its working copy", async () => {
    const { committer, sent, adopted, view } = setup();
    committer.edit(edited(4));
    committer.receive(state("q", 3));
    expect(last(sent).params).toMatchObject({ project_id: "p", base_rev: 1, document: edited(4) });
    expect(last(adopted)).toEqual([three(), "open"]);
    expect(committer.rev).toBe(3);
    await last(sent).fail("disconnected");
    expect(view()).toMatchObject({ unsaved: 0, failure: null });
    committer.receive(state("p", 1));
    expect(last(adopted)).toEqual([edited(4), "open"]);
    expect(view().unsaved).toBe(1);
    await vi.advanceTimersByTimeAsync(RESEND_MS);
    await last(sent).answer({ rev: 2 });
    expect([committer.rev, view().unsaved]).toEqual([2, 0]);
  });

  it("keeps an edit that was refused for a reason, with the sentence", async () => {
    const { committer, sent, view } = setup();
    committer.edit(edited(4));
    await vi.advanceTimersByTimeAsync(DEBOUNCE_MS);
    await last(sent).fail("refused");
    expect(view()).toMatchObject({ unsaved: 1, failure: "refused" });
  });

  it("keeps a draft with what it was made from while something is unsaved", async () => {
    const { committer, sent, kept } = setup();
    committer.edit(edited(4));
    expect(last(kept)).toEqual({ rev: 1, base: three(), document: edited(4), away: false });
    await vi.advanceTimersByTimeAsync(DEBOUNCE_MS);
    await last(sent).fail("disconnected");
    expect(last(kept)).toMatchObject({ away: true });
    await vi.advanceTimersByTimeAsync(RESEND_MS);
    await last(sent).answer({ rev: 2 });
    expect(last(kept)).toBeNull();
  });
});

describe("drafts", () => {
  const draft = (part: Partial<Left> = {}): Left => ({
    key: "k",
    at: 0,
    rev: 1,
    base: three(),
    document: edited(8),
    away: true,
    ...part,
  });

  it("of the moment before a reload is the working copy again, and committed", async () => {
    const { sent, adopted, dropped } = setup([draft({ away: false })]);
    expect(adopted).toEqual([
      [three(), "open"],
      [edited(8), "update"],
    ]);
    expect(dropped).toEqual(["k"]);
    await vi.advanceTimersByTimeAsync(DEBOUNCE_MS);
    expect(last(sent).params).toMatchObject({ base_rev: 1, document: edited(8) });
  });

  it("made while the kernel was away is offered, and used when asked to", async () => {
    const { committer, adopted, dropped, view } = setup([draft()]);
    expect(view().offer).toMatchObject({ key: "k" });
    expect(adopted).toHaveLength(1);
    committer.edit(setData(three(), "f", { seed: 1 })); // the offer stands while one goes on
    await committer.answer(true);
    expect(last(adopted)).toEqual([setData(edited(8), "f", { seed: 1 }), "update"]);
    expect(view()).toMatchObject({ offer: null, unsaved: 2 });
    expect(dropped).toEqual(["k"]);
  });

  it("is let go of when asked to", async () => {
    const { committer, adopted, dropped, view, sent } = setup([draft()]);
    await committer.answer(false);
    expect(view()).toMatchObject({ offer: null, unsaved: 0 });
    expect(dropped).toEqual(["k"]);
    expect(adopted).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toHaveLength(0);
  });

  it("is never laid over newer work: both values are asked about", async () => {
    const { committer, view } = setup([draft({ rev: 0, base: edited(7), away: false })]);
    expect(view()).toMatchObject({ unsaved: 0, offer: { key: "k" } });
    await committer.answer(true);
    expect(view()).toMatchObject({
      offer: null,
      conflict: { rev: 1, clashes: [{ field: "epochs", mine: 8, theirs: undefined }] },
    });
  });

  it("is forgotten where all of it is there", () => {
    const { view, dropped } = setup([draft({ rev: 0, document: three() })]);
    expect(view().offer).toBeNull();
    expect(dropped).toEqual(["k"]);
  });

  it("is offered no more when the page that made it has saved it after all", () => {
    const { committer, view, dropped } = setup([draft()]);
    committer.receive({ ...state("p", 2), document: edited(8) });
    expect(view().offer).toBeNull();
    expect(dropped).toEqual(["k"]);
  });

  it("of another tab that is at work is left alone, and looked at again", async () => {
    const at = Date.now() - 1;
    const { view } = setup([draft({ at }), draft({ at, key: "second", document: edited(5) })]);
    expect(view().offer).toBeNull();
    await vi.advanceTimersByTimeAsync(YOUNG_MS);
    expect(view().offer).toMatchObject({ key: "k" });
  });
});
