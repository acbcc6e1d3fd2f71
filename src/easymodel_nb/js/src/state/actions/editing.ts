/** Edits of the document: what undo brings back. */
import { setSource } from "../../logic/another-source";
import { accepted, toggled } from "../../logic/audit";
import type { Choice, Clash } from "../../logic/clash";
import * as clipboard from "../../logic/clipboard";
import * as edits from "../../logic/edits";
import * as graph from "../../logic/graph";
import * as history from "../../logic/history";
import type { Size } from "../../logic/layout";
import { type NoteSize, resizeNote } from "../../logic/note-size";
import { freeSpot, PLAIN, ROOM } from "../../logic/place";
import { type Link, refusal } from "../../logic/ports";
import { reconnect } from "../../logic/reconnect";
import { setRole } from "../../logic/roles";
import type { Position, SourceOption, Workflow } from "../../protocol";
import { makeUploads } from "../uploads";
import type { Desk } from "./desk";

const LOOK_MS = 2_000;
/** A key that is held down, or a control stepped through, is one gesture. */
const GESTURE_MS = 1_000;

export function editingActions(desk: Desk) {
  const {
    sync,
    call,
    committer,
    get,
    attempt,
    set,
    doc,
    notify,
    edit,
    travel,
    closeStep,
    held,
    mended,
    setOpen,
  } = desk;

  const setField = (id: string, patch: Record<string, unknown>, typing = false) => {
    const fields = Object.keys(patch);
    edit(
      (d) => graph.setData(d, id, patch),
      `${id}.${fields.join()}`,
      typing ? undefined : GESTURE_MS,
    );
    mended(id, fields);
  };
  /** Another source lets go of what belonged to the former one, in the step of its letters. */
  const chooseSource = (id: string, source: string, typing = false) => {
    const { key, past } = get().history;
    const typed = `${id}.source`;
    const first = key === typed ? past.at(-1)?.nodes.find((n) => n.id === id) : undefined;
    edit((d) => setSource(d, id, source, first), typed, typing ? undefined : GESTURE_MS);
    mended(id, ["source"]);
  };
  const uploads = makeUploads(sync, chooseSource);
  let lookedAt = 0;
  let look: ReturnType<typeof setTimeout> | null = null;

  /** An edit that makes nodes, and their ids; none where the project can only be read. */
  function made<T>(change: (d: Workflow) => [Workflow, T], none: T): T {
    let result = none;
    const before = doc();
    edit((d) => {
      const [next, found] = change(d);
      result = found;
      return next;
    });
    return doc() === before ? none : result;
  }

  function remove(nodes: Set<string>, edges: Set<string>): void {
    edit((d) => graph.remove(d, nodes, edges));
    const { inspector } = get();
    if (inspector && !doc().nodes.some((n) => n.id === inspector)) set({ inspector: null });
  }

  return {
    edit,
    closeStep,
    undo: () => travel(history.undo),
    redo: () => travel(history.redo),
    /** Whose side is taken where both changed the same: of all of it, or clash by clash. */
    resolve(choose: Choice | ((clash: Clash) => Choice)) {
      if (!held()) committer.resolve(choose);
    },
    /** Takes on the edits that no kernel got, or lets go of them. */
    answerDraft: async (use: boolean) => {
      if (!use || !held()) await attempt(committer.answer(use));
    },
    setField,
    setSource: chooseSource,
    setRole(id: string, field: string, value: string | null) {
      const node = doc().nodes.find((n) => n.id === id);
      if (!node) return;
      const source = graph.inputOf(doc(), id, "dataset");
      const roles = (source && get().traits.catalog.facts[source.id]?.roles) ?? {};
      const patch = setRole(node, field, value, roles);
      edit((d) => graph.setData(d, id, patch), `${id}.${field}`);
      mended(id, Object.keys(patch));
    },
    setLabel: (id: string, label: string) => edit((d) => graph.setLabel(d, id, label)),
    move: (positions: Map<string, Position>) => edit((d) => graph.move(d, positions)),
    connect(link: Link) {
      const why = refusal(doc(), link);
      if (why) notify(why, "info");
      else edit((d) => graph.connect(d, link));
      mended(link.target, [link.targetHandle ?? ""]);
    },
    /** Moves an end of an edge to another port. */
    reconnect(id: string, link: Link) {
      const why = refusal(doc(), link);
      if (why) notify(why, "info");
      else edit((d) => reconnect(d, id, link));
      mended(link.target, [link.targetHandle ?? ""]);
    },
    remove,
    add(type: string, at: Position): string {
      const node = graph.makeNode(type, rounded(at));
      const id = made((d) => [graph.addNode(d, node), node.id], "");
      if (id) setOpen(id, true);
      return id;
    },
    /** A Dataset node for a file that was dropped; it feeds the one Finetuning node without data. */
    addFile(file: File, at: Position): string {
      const node = { ...graph.makeNode("dataset", rounded(at)), label: file.name };
      const id = made((d) => [graph.feedLonely(graph.addNode(d, node), node.id), node.id], "");
      if (!id) return "";
      setOpen(id, true);
      uploads.start(id, file);
      return id;
    },
    upload: uploads.start,
    retryUpload: uploads.retry,
    cancelUpload: uploads.cancel,
    /** Asks the kernel which variables hold data: at once, and then at most every other second. */
    lookAtVariables() {
      sync.touch();
      if (look) return;
      const wait = Math.max(0, lookedAt + LOOK_MS - Date.now());
      look = setTimeout(() => {
        look = null;
        lookedAt = Date.now();
        call("variables", {}).catch(() => {}); // the list of the last look stands
      }, wait);
    },
    addThree() {
      const { models, datasets } = get().traits.catalog;
      // A new Finetuning node writes text, so both are of that kind.
      const first = (options: SourceOption[]) =>
        (options.find((o) => o.tasks.includes("generation")) ?? options[0])?.source ?? "";
      edit((d) => graph.addThree(d, first(models), first(datasets)));
      set({ opened: get().opened + 1 }); // as large as a document that was opened, so fitted like one
    },
    duplicate: (id: string) => void made((d) => edits.duplicateAll(d, [id]), []),
    /** The nodes as text for the clipboard. */
    copy: (ids: Iterable<string>): string => clipboard.write(doc(), ids),
    cut(ids: Iterable<string>): string {
      const cut = new Set(ids);
      const text = clipboard.write(doc(), cut);
      remove(cut, new Set());
      return text;
    },
    /** What the text stands for, as nodes; their ids, none where it stands for nothing. */
    paste(text: string, at: Position | null): string[] {
      const clip = clipboard.read(text);
      if (!clip) return [];
      if ("piece" in clip) return made((d) => edits.paste(d, clip.piece, at), []);
      const { type, source, revision } = clip.source;
      return made((d) => {
        const place = at ?? spotFor(d, type);
        const node = graph.makeNode(type, rounded(place), { source, revision });
        return [graph.feedLonely(graph.addNode(d, node), node.id), [node.id]];
      }, []);
    },
    duplicateAll: (ids: Iterable<string>, sizes?: Map<string, Size>) =>
      made((d) => edits.duplicateAll(d, ids, sizes), []),
    nudge(ids: Iterable<string>, dx: number, dy: number) {
      const moved = [...ids];
      edit((d) => edits.nudge(d, moved, dx, dy), `nudge ${moved.join()}`, GESTURE_MS);
    },
    align: (ids: Iterable<string>, how: edits.Alignment, sizes: Map<string, Size>) =>
      edit((d) => edits.align(d, ids, how, sizes)),
    /** A whole layout as one step. */
    arrange: (positions: Map<string, Position>) => edit((d) => graph.move(d, positions)),
    addFeeding(type: string, at: Position, link: edits.HandleEnd): string {
      const id = made((d) => edits.addFeeding(d, type, at, link), "");
      if (id) setOpen(id, true);
      return id;
    },
    addNote: (at: Position): string => made((d) => edits.addNote(d, at), ""),
    setNote: (id: string, text: string) => edit((d) => edits.setNote(d, id, text), `${id}.text`),
    /** One step a drag, and one for keys that follow on each other. */
    resizeNote: (id: string, size: NoteSize, stepping = false) =>
      edit((d) => resizeNote(d, id, size), stepping ? `${id}.size` : null, GESTURE_MS),
    clear: () => edit(edits.clear),
    /** The viewport is kept with the document, but moving it is no edit. */
    viewport: (viewport: Workflow["viewport"]) =>
      set({ history: history.amend(get().history, { ...doc(), viewport }) }),
    /** Takes a warning of the gate on, or takes that back. */
    accept(id: string, code: string) {
      const node = doc().nodes.find((n) => n.id === id);
      if (node) setField(id, { accept: toggled(accepted(node), code) });
    },
  };
}

const rounded = ({ x, y }: Position) => ({ x: Math.round(x), y: Math.round(y) });

/** Where there is room, near the other nodes. */
function spotFor(doc: Workflow, type: string): Position {
  const boxes = doc.nodes.map((n) => ({ ...n.position, ...(ROOM[n.type] ?? PLAIN) }));
  const [first] = doc.nodes;
  return freeSpot(boxes, type, first?.position ?? { x: 0, y: 0 });
}
