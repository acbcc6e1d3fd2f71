/**
 * The only file that reads traits and sends messages.
 *
 * Traits come in as whole snapshots; commands go out and are answered; the pulse asks
 * for what pushes did not bring and says when the kernel does not answer.
 */
import { type Arrival, Committer, type Draft, type Left } from "../logic/commit";
import * as history from "../logic/history";
import { sameWork } from "../logic/merge";
import { decide } from "../logic/pulse";
import { type Method, type Request, Rpc } from "../logic/rpc";
import { share } from "../logic/share";
import type { Methods, Traits, Workflow } from "../protocol";
import type { Model } from "../types";
import { keysOf, load, save } from "./browser";
import { type Shows, Sight } from "./sight";
import { makeStore, type Store } from "./store";

const NAMES = ["document", "projects", "runs", "problems", "catalog", "beat"] as const;
const TICK_MS = 500;
const SLEPT_MS = 5_000;

export interface Sync {
  store: Store;
  committer: Committer;
  call: <M extends Method>(
    method: M,
    params: Methods[M]["params"],
    limit?: number,
    buffers?: ArrayBuffer[],
  ) => Promise<Methods[M]["result"]>;
  /** Asks the kernel for every trait that is missing. */
  pull: () => Promise<void>;
  /** The user did something. */
  touch: () => void;
  /** Looks whether this element can be seen, until what it answers is called. */
  watch: (el: Element) => () => void;
  dispose: () => void;
}

export function connectPython(model: Model): Sync {
  const store = makeStore(readTraits(model));
  let waitingSince: number | null = null;
  let pulledAt = 0;
  let touchedAt = Date.now();
  let tickedAt = Date.now();

  const heard = () => {
    waitingSince = null;
    const wasLost = store.getState().lostSince !== null;
    store.setState({ heardAt: Date.now(), ...(wasLost && { lostSince: null }) });
    if (wasLost) committer.retry();
  };
  const rpc = new Rpc((request: Request, buffers: ArrayBuffer[]) => {
    waitingSince ??= Date.now();
    if (buffers.length > 0) model.send(request, undefined, buffers);
    else model.send(request);
  });
  const client = `view-${Math.random().toString(36).slice(2, 10)}`;
  const committer = new Committer({
    client,
    send: (params, limit) => rpc.call("commit", params, limit),
    adopt: (document, how) => adopt(store, committer.projectId, document, how),
    changed: (commit) => store.setState({ commit }),
    ...drafts(client),
  });
  const pull = async () => {
    pulledAt = Date.now();
    const { traits } = store.getState();
    const seen = Object.fromEntries(NAMES.map((name) => [name, traits[name].seq]));
    // Silence is told by the pulse, so an unanswered pull fails without a word.
    told = sight.shows();
    await rpc.call("pull", { seen, page: client, shows: told }).catch(() => {});
  };
  /** Python hears at once what can be seen now, and sends what was not drawn meanwhile. */
  const look = () => {
    if (sight.shows() !== told && !store.getState().traits.beat.moved) void pull();
  };
  let told: Shows | null = null;
  const sight = new Sight(() => store.getState().tab, look);

  const onTrait = (name: (typeof NAMES)[number]) => () => {
    heard();
    const before = store.getState().traits;
    const traits = { ...before, [name]: share(before[name], model.get(name)) } as Traits;
    const theme =
      name === "catalog" &&
      store.getState().themePending === 0 &&
      traits.catalog.theme !== store.getState().traits.catalog.theme;
    store.setState({ traits, ...(theme && { theme: traits.catalog.theme }) });
    if (name === "document") committer.receive(traits.document);
  };
  const onMessage = (message: unknown, buffers?: unknown) => {
    heard();
    rpc.receive(message, buffers as DataView[] | undefined);
  };
  const tick = () => {
    const { traits, heardAt, lostSince } = store.getState();
    const now = Date.now();
    if (now - tickedAt > SLEPT_MS) wake();
    tickedAt = now;
    const { beat, catalog, runs } = traits;
    const active = beat.active || runs.items.some((r) => r.status === "running");
    const visible = document.visibilityState === "visible";
    const colab = catalog.host === "colab" || inColab();
    const verdict = decide({
      now,
      colab,
      visible,
      active,
      touchedAt,
      heardAt,
      pulledAt,
      waitingSince,
    });
    if (verdict.lost && lostSince === null) store.setState({ lostSince: heardAt });
    if (verdict.pull && !beat.moved) void pull();
    else look();
  };

  /** The page, or the machine, was away or asleep: what it missed is asked for at once. */
  const wake = () => {
    const here = document.visibilityState === "visible";
    if (here && !store.getState().traits.beat.moved) void pull();
    else look();
  };
  const unsubscribe = store.subscribe((now, before) => now.tab !== before.tab && look());

  const listeners = NAMES.map((name) => [`change:${name}`, onTrait(name)] as const);
  for (const [event, callback] of listeners) model.on(event, callback);
  model.on("msg:custom", onMessage);
  document.addEventListener("visibilitychange", wake);
  document.addEventListener("resume", wake); // of a page that the browser had frozen
  window.addEventListener("online", wake);
  const timer = setInterval(tick, TICK_MS);
  committer.receive(store.getState().traits.document);

  return {
    store,
    committer,
    call: (method, params, limit, buffers) => rpc.call(method, params, limit, buffers),
    pull,
    touch: () => {
      touchedAt = Date.now();
    },
    watch: (el) => sight.watch(el),
    dispose: () => {
      clearInterval(timer);
      unsubscribe();
      document.removeEventListener("visibilitychange", wake);
      document.removeEventListener("resume", wake);
      window.removeEventListener("online", wake);
      for (const [event, callback] of listeners) model.off(event, callback);
      model.off("msg:custom", onMessage);
      committer.dispose();
      rpc.dispose();
    },
  };
}

const inColab = () => Boolean((window as { google?: { colab?: unknown } }).google?.colab);

type Kept = Draft & { at: number };

/** Each page keeps its own drafts, so that none removes another's. */
function drafts(client: string) {
  const kept = new Map<string, Kept>();
  const keyOf = (projectId: string) => `draft:${projectId}:${client}`;
  return {
    drafts: (projectId: string): Left[] =>
      keysOf(`draft:${projectId}:`)
        .filter((key) => key !== keyOf(projectId))
        .flatMap((key) => {
          const found = load<Kept>(key);
          return found?.base ? [{ ...found, key }] : [];
        }),
    keep: (projectId: string, draft: Draft | null) => {
      const [key, last] = [keyOf(projectId), kept.get(projectId)];
      if (!draft) {
        if (kept.delete(projectId)) save(key, null);
        return;
      }
      const known = last?.document === draft.document ? last : null;
      if (known?.rev === draft.rev && known.away === draft.away) return;
      // Used or discarded in another page: a page whose kernel is gone does not bring it back.
      if (known && !keysOf(key).includes(key)) return;
      const next = { ...draft, at: known?.at ?? Date.now() };
      kept.set(projectId, next);
      save(key, next);
    },
    drop: (key: string) => save(key, null),
  };
}

function readTraits(model: Model): Traits {
  return Object.fromEntries(NAMES.map((name) => [name, model.get(name)])) as unknown as Traits;
}

const KEPT_PROJECTS = 40;

function adopt(store: Store, projectId: string, document: Workflow, how: Arrival): void {
  const now = store.getState();
  if (how === "open") {
    const { [projectId]: kept, ...others } = {
      ...now.histories,
      ...(now.projectId && { [now.projectId]: history.close(now.history) }),
    };
    store.setState({
      projectId,
      history: kept ? comeBack(kept, document) : history.start(document),
      histories: Object.fromEntries(Object.entries(others).slice(-KEPT_PROJECTS)),
      opened: now.opened + 1,
      inspector: null,
      refused: [],
    });
    return;
  }
  // A step of its own, so that undo brings back what was here before.
  store.setState({ history: asStep(now.history, document) });
  if (how === "merge") {
    const text = "Changes from elsewhere came in and were joined with yours.";
    store.setState({ notice: { text, tone: "info" } });
  }
}

/** The history of a project that is opened again; what changed meanwhile is a step of its own. */
function comeBack(kept: history.History, document: Workflow): history.History {
  const present = { ...document, viewport: kept.present.viewport };
  return sameWork(kept.present, document) ? history.amend(kept, present) : asStep(kept, present);
}

const asStep = (h: history.History, document: Workflow) =>
  history.push(h, document, { key: null, now: Date.now() });
