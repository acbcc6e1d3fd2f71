// @vitest-environment happy-dom
/** One studio in a page, with a kernel that answers at once: actions, histories, drafts. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DocumentState, Traits, Workflow } from "../src/protocol";
import { openSession, type Session } from "../src/state/session";
import type { Model } from "../src/types";
import { flow, node, run, three } from "./make";

class Kernel implements Model {
  answers = true;
  readonly asked: string[] = [];
  /** What it has not come to, as while a cell runs in its only thread. */
  readonly waiting: unknown[] = [];
  readonly #heard = new Map<string, Set<(...args: unknown[]) => void>>();
  readonly projects: Record<string, { rev: number; document: Workflow }> = {
    p: { rev: 1, document: three() },
    q: { rev: 1, document: flow([node("f", "finetune")]) },
  };
  held: DocumentState["held"] = null;
  open = "p";
  seq = 0;

  get<K extends keyof Traits>(name: K): Traits[K] {
    const { open: project_id, seq, held } = this;
    const all = {
      document: { seq, held, project_id, ...this.projects[project_id] },
      projects: { seq, active: project_id, items: [] },
      runs: { seq, items: [run({ status: "finished" })], shown: null },
      problems: { seq, items: [], audits: [] },
      catalog: {
        seq,
        theme: "auto",
        height: 640,
        host: "lab",
        facts: {},
        models: [],
        datasets: [],
      },
      beat: { seq, active: false },
    };
    return all[name as never] as Traits[K];
  }
  on(event: string, callback: (...args: unknown[]) => void): void {
    this.#heard.set(event, (this.#heard.get(event) ?? new Set()).add(callback));
  }
  off(event?: string | null, callback?: ((...args: unknown[]) => void) | null): void {
    if (event && callback) this.#heard.get(event)?.delete(callback);
  }
  #tell(event: string, ...content: unknown[]): void {
    for (const callback of this.#heard.get(event) ?? []) callback(...content);
  }
  push(): void {
    this.seq += 1;
    this.#tell("change:document");
  }
  switchTo(project: string): void {
    this.open = project;
    this.push();
  }
  send(message: unknown): void {
    if (!this.answers) {
      this.waiting.push(message);
      return;
    }
    const { id, method, params } = message as { id: string; method: string; params: never };
    this.asked.push(method);
    const reply = method === "commit" ? this.#commit(params) : { ok: true, result: {} };
    queueMicrotask(() => this.#tell("msg:custom", { id, ...reply }));
  }
  #commit(params: { project_id: string; base_rev: number; document: Workflow }) {
    const error = { message: "refused", problems: [], data: {} };
    if (this.held) return { ok: false, error: { ...error, code: "held" } };
    const stored = this.projects[params.project_id] as { rev: number; document: Workflow };
    if (params.base_rev !== stored.rev) {
      return { ok: false, error: { ...error, code: "conflict", data: { ...stored } } };
    }
    stored.rev += 1;
    stored.document = params.document;
    return { ok: true, result: { rev: stored.rev } };
  }
}

let kernel: Kernel;
let session: Session;
const state = () => session.store.getState();
const doc = () => state().history.present;
const value = (id: string, field: string) => doc().nodes.find((n) => n.id === id)?.data[field];
const steps = () => state().history.past.length;
const saved = () => vi.advanceTimersByTimeAsync(400);
const type = (field: string, text: string) => {
  for (let end = 1; end <= text.length; end += 1) {
    session.actions.setField("f", { [field]: text.slice(0, end) }, true);
  }
};

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  kernel = new Kernel();
  session = openSession(kernel);
});
afterEach(() => {
  session.dispose();
  vi.useRealTimers();
});

describe("a machine that slept", () => {
  it("asks what it missed as soon as it wakes, though nothing ran and nobody touched the page", async () => {
    await vi.advanceTimersByTimeAsync(120_000);
    kernel.asked.length = 0;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(kernel.asked).toEqual([]);
    vi.setSystemTime(Date.now() + 3_600_000);
    await vi.advanceTimersByTimeAsync(600);
    expect(kernel.asked).toEqual(["pull"]);
    document.dispatchEvent(new Event("resume")); // frozen for a moment alone
    expect(kernel.asked).toEqual(["pull", "pull"]);
  });
});

describe("a stop", () => {
  const said = () => state().notice?.text ?? "";

  it("that waits for the running cell says so, whatever else is heard, until it is answered", async () => {
    kernel.answers = false;
    void session.actions.stop("r");
    for (let second = 0; second < 40; second += 1) {
      await vi.advanceTimersByTimeAsync(1000);
      kernel.push(); // from a thread of its own: the run goes on
      expect(said()).toEqual(second < 2 ? "" : expect.stringContaining("interrupt the cell"));
    }
    expect([state().lostSince, state().stopping]).toEqual([null, ["r"]]);
    kernel.answers = true;
    for (const message of kernel.waiting) kernel.send(message);
    await vi.advanceTimersByTimeAsync(0);
    expect([said(), state().stopping]).toEqual(["", []]);
  });

  it("that is answered at once says nothing", async () => {
    void session.actions.stop(null);
    await vi.advanceTimersByTimeAsync(10_000);
    expect([said(), state().stopping]).toEqual(["", []]);
  });
});

describe("steps", () => {
  it("the typing in a field is one until the focus leaves it", async () => {
    type("template", "{question}");
    await vi.advanceTimersByTimeAsync(30_000); // however long one thinks
    type("template", "{question} and {answer}");
    expect(steps()).toBe(1);
    session.actions.closeStep();
    type("template", "{text}");
    expect(steps()).toBe(2);
    session.actions.undo();
    expect(value("f", "template")).toBe("{question} and {answer}");
    session.actions.undo();
    expect(value("f", "template")).toBeUndefined();
    session.actions.redo();
    expect(value("f", "template")).toBe("{question} and {answer}");
  });

  it("each gesture is one, and undo leaves the view, runs and results alone", () => {
    const { runs } = state().traits;
    const { actions } = session;
    actions.nudge(["m"], 8, 0);
    actions.nudge(["m"], 8, 0); // the key is held down
    actions.duplicateAll(["m", "d", "f"]);
    actions.arrange(new Map(doc().nodes.map((n, i) => [n.id, { x: i * 10, y: 0 }])));
    actions.clear();
    expect([steps(), doc().nodes.length]).toEqual([4, 0]);
    actions.viewport({ x: 5, y: 6, zoom: 2 });
    for (let i = 0; i < 4; i += 1) actions.undo();
    expect(doc()).toEqual({ ...three(), viewport: { x: 5, y: 6, zoom: 2 } });
    expect(state().traits.runs).toBe(runs);
  });

  it("cut and paste, a Hub address, and a text that is neither", () => {
    const { actions } = session;
    const text = actions.cut(["m", "d", "f"]);
    expect(doc().nodes).toEqual([]);
    expect(actions.paste(text, { x: 0, y: 0 })).toHaveLength(3);
    expect(doc().edges).toHaveLength(2);
    expect(actions.paste("hello", null)).toEqual([]);
    actions.add("finetune", { x: 0, y: 0 });
    const [id] = actions.paste("https://huggingface.co/datasets/a/b", null);
    expect(doc().nodes.find((n) => n.id === id)).toMatchObject({ data: { source: "a/b" } });
    expect(doc().edges.at(-1)).toMatchObject({ source: id, targetHandle: "dataset" });
    expect(steps()).toBe(4);
  });
});

describe("another project", () => {
  it("has a history of its own, which is there when it comes back", async () => {
    type("seed", "7");
    await saved();
    kernel.switchTo("q");
    expect([steps(), value("f", "seed")]).toEqual([0, undefined]);
    type("seed", "9");
    await saved();
    kernel.switchTo("p");
    expect([steps(), value("f", "seed")]).toEqual([1, "7"]);
    session.actions.undo();
    expect(doc()).toEqual(three());
    await saved();
    kernel.switchTo("q");
    session.actions.undo();
    expect(value("f", "seed")).toBeUndefined();
    await saved();
    expect(kernel.projects.p?.document).toEqual(three());
  });

  it("that was changed meanwhile comes back with that as a step", async () => {
    type("seed", "7");
    await saved();
    kernel.switchTo("q");
    const p = kernel.projects.p as { rev: number; document: Workflow };
    p.rev += 1;
    p.document = { ...p.document, nodes: [...p.document.nodes, node("n", "note")] };
    kernel.switchTo("p");
    expect(steps()).toBe(2);
    session.actions.undo();
    session.actions.undo();
    expect(doc()).toEqual(three());
  });

  it("does not take along edits that were not saved yet", async () => {
    kernel.answers = false;
    type("seed", "7");
    kernel.switchTo("q");
    kernel.answers = true;
    expect(state().commit.unsaved).toBe(0);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(kernel.projects.p?.document.nodes[2]?.data.seed).toBe("7");
    expect(kernel.projects.q?.rev).toBe(1);
  });
});

describe("a project that another notebook has", () => {
  it("is not changed here, and says why", () => {
    kernel.held = { by: "another notebook", since: "2026-01-01T00:00:00Z" };
    kernel.push();
    const before = doc();
    const { actions } = session;
    expect(actions.add("model", { x: 0, y: 0 })).toBe("");
    expect(actions.duplicateAll(["m"])).toEqual([]);
    expect(actions.addNote({ x: 0, y: 0 })).toBe("");
    actions.remove(new Set(["m"]), new Set());
    type("seed", "1");
    actions.undo();
    expect(doc()).toBe(before);
    expect(state().notice?.text).toMatch(/open in another notebook; take over to edit here/);
    expect(JSON.parse(actions.copy(["m"])).nodes).toHaveLength(1);
  });

  it("gets what was edited before once it is taken over", async () => {
    type("seed", "7");
    kernel.held = { by: "another notebook", since: "2026-01-01T00:00:00Z" };
    await saved();
    expect(state().commit).toMatchObject({ unsaved: 1, failure: "refused" });
    kernel.held = null;
    kernel.push();
    await saved();
    expect(state().commit).toMatchObject({ unsaved: 0, failure: null });
    expect(kernel.projects.p?.document.nodes[2]?.data.seed).toBe("7");
  });
});

it("asks for what it missed when the page is seen again", () => {
  const send = vi.spyOn(kernel, "send");
  document.dispatchEvent(new Event("visibilitychange"));
  expect(send).toHaveBeenCalledWith(expect.objectContaining({ method: "pull" }));
  session.dispose();
  send.mockClear();
  document.dispatchEvent(new Event("visibilitychange"));
  expect(send).not.toHaveBeenCalled();
});

describe("edits that no kernel got", () => {
  const lost = async () => {
    kernel.answers = false;
    type("seed", "7");
    await vi.advanceTimersByTimeAsync(20_000);
    expect(state().lostSince).not.toBeNull();
  };
  const again = () => {
    kernel.answers = true;
    const old = session;
    session = openSession(kernel);
    return old;
  };

  it("are offered by the next studio, once", async () => {
    await lost();
    const old = again(); // it is still in the page, and asks its dead kernel
    expect([value("f", "seed"), state().commit.unsaved]).toEqual([undefined, 0]);
    expect(state().commit.offer).not.toBeNull();
    await session.actions.answerDraft(true);
    await saved();
    expect(kernel.projects.p?.document.nodes[2]?.data.seed).toBe("7");
    kernel.answers = false;
    old.actions.retry();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(localStorage.length).toBe(0);
    old.dispose();
  });

  it("are let go of when they are discarded", async () => {
    await lost();
    again().dispose();
    await session.actions.answerDraft(false);
    expect([state().commit.offer, localStorage.length]).toEqual([null, 0]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(kernel.projects.p?.rev).toBe(1);
  });
});
