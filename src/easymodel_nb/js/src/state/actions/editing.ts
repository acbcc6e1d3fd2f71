/** Edits of the document: what undo brings back. */
import { accepted, toggled } from "../../logic/audit";
import * as graph from "../../logic/graph";
import * as history from "../../logic/history";
import { type Link, refusal } from "../../logic/ports";
import { setRole } from "../../logic/roles";
import type { Position, SourceOption, Workflow } from "../../protocol";
import { makeUploads } from "../uploads";
import type { Desk } from "./desk";

const LOOK_MS = 2_000;

export function editingActions(desk: Desk) {
  const { sync, call, get, set, doc, notify, edit, travel, mended, setOpen } = desk;

  const setField = (id: string, patch: Record<string, unknown>, typing = false) => {
    const fields = Object.keys(patch);
    edit((d) => graph.setData(d, id, patch), typing ? `${id}.${fields.join()}` : null);
    mended(id, fields);
  };
  const uploads = makeUploads(sync, (node, source) => setField(node, { source }));
  let lookedAt = 0;
  let look: ReturnType<typeof setTimeout> | null = null;

  return {
    edit,
    undo: () => travel(history.undo),
    redo: () => travel(history.redo),
    setField,
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
    remove(nodes: Set<string>, edges: Set<string>) {
      edit((d) => graph.remove(d, nodes, edges));
      const { inspector } = get();
      if (inspector && nodes.has(inspector)) set({ inspector: null });
    },
    add(type: string, at: Position): string {
      const node = graph.makeNode(type, { x: Math.round(at.x), y: Math.round(at.y) });
      setOpen(node.id, true);
      edit((d) => graph.addNode(d, node));
      return node.id;
    },
    /** A Dataset node for a file that was dropped; it feeds the one Finetuning node without data. */
    addFile(file: File, at: Position): string {
      const place = { x: Math.round(at.x), y: Math.round(at.y) };
      const node = { ...graph.makeNode("dataset", place), label: file.name };
      setOpen(node.id, true);
      edit((d) => graph.feedLonely(graph.addNode(d, node), node.id));
      uploads.start(node.id, file);
      return node.id;
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
    duplicate: (id: string) => edit((d) => graph.duplicate(d, id)[0]),
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
