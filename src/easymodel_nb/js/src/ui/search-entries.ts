/** What the search offers: nodes, sources, ready-made groups, actions; or what fits a port. */
import { useReactFlow } from "@xyflow/react";
import { read } from "../logic/clipboard";
import * as edits from "../logic/edits";
import { TASKS } from "../logic/fields";
import { linkOf, portKey, portsThatFit } from "../logic/fits";
import * as graph from "../logic/graph";
import { freeSpot, ROOM } from "../logic/place";
import { KINDS, titleOf } from "../logic/ports";
import type { Searchable } from "../logic/search";
import { type Command, hint, isMac, SHORTCUTS } from "../logic/shortcuts";
import { sourceOptions } from "../logic/sources";
import type { Node, Position, SourceOption, Workflow } from "../protocol";
import { useActions, useStudio } from "../state/session";
import { EMPTY } from "../state/store";
import { takenPlaces } from "./add";
import type { Commands } from "./commands";
import type { IconName } from "./icons";
import { type Popup, useView } from "./view";

export interface Entry extends Searchable {
  id: string;
  icon: IconName;
  hint?: string;
  run: () => void;
}
type SearchPopup = Extract<Popup, { kind: "search" }>;
interface Source {
  type: "model" | "dataset";
  data: Node["data"];
  title: string;
  detail: string;
  also?: string;
}

const mac = isMac(navigator.platform);
const ACTIONS: [Command, IconName][] = [
  ["undo", "undo"],
  ["redo", "redo"],
  ["paste", "paste"],
  ["arrange", "layout"],
  ["showAll", "fit"],
  ["selectAll", "select"],
  ["tool", "select"],
  ["snap", "grid"],
  ["full", "full"],
  ["help", "keyboard"],
];

export function useEntries(popup: SearchPopup, typed: string, commands: Commands): Entry[] {
  const actions = useActions();
  const flow = useReactFlow();
  const { el } = useView();
  const doc = useStudio((s) => s.history.present);
  const catalog = useStudio((s) => s.traits.catalog);
  const { from } = popup;

  function spot(type: string, side: edits.HandleEnd["side"] = "source"): Position {
    const { width = 232, height = 120 } = ROOM[type] ?? {};
    const point = flow.screenToFlowPosition(popup.at);
    if (from.length > 0 && !popup.free)
      return { x: side === "source" ? point.x : point.x - width, y: point.y - 20 };
    if (!popup.free) return point;
    const beside = from.length > 0 ? (side === "source" ? 96 : -96 - width) : -width / 2;
    const y = from.length > 0 ? point.y : point.y - height / 2;
    return freeSpot(takenPlaces(flow, el), type, { x: point.x + beside, y });
  }
  /** One step, and nothing where the project can only be read. */
  function put(change: (doc: Workflow) => [Workflow, string[]]): void {
    let made: string[] = [];
    actions.edit((d) => {
      const [next, ids] = change(d);
      made = ids;
      return next;
    });
    for (const id of made) actions.setOpen(id, true);
    commands.show(made);
  }
  const add = (type: string, data: Node["data"] = {}) =>
    put((d) => {
      const { x, y } = spot(type);
      const node = graph.makeNode(type, { x: Math.round(x), y: Math.round(y) }, data);
      const next = graph.addNode(d, node);
      const fed = type === "dataset" && data.source ? graph.feedLonely(next, node.id) : next;
      return [fed, [node.id]];
    });
  const feed = (end: edits.HandleEnd, type: string, data: Node["data"] = {}) =>
    put((d) => {
      const [next, id] = edits.addFeeding(d, type, spot(type, end.side), end);
      return id ? [graph.setData(next, id, data), [id]] : [d, []];
    });

  const sources = (type: Source["type"]): Source[] => [
    ...typedSources(typed).filter((s) => s.type === type),
    ...sourceOptions(type, catalog, null).map((o) => ({
      type,
      data: { source: o.value },
      title: o.title,
      detail: o.detail ?? "",
    })),
  ];
  const source = (s: Source, run: () => void): Entry => ({
    id: `${s.type}:${s.data.source}`,
    title: s.title,
    detail: s.detail,
    also: s.also ?? "",
    group: s.type === "model" ? "Models" : "Data sets",
    icon: s.type,
    run,
  });

  const { edge } = popup;
  if (edge !== undefined) {
    return from.flatMap((end) => {
      const instead = from.find((other) => other !== end);
      return portsThatFit(doc, end)
        .filter((to) => instead && portKey(to) !== portKey(instead))
        .map((to) => ({
          id: `port:${end.side}:${end.handle}:${to.node}:${to.handle}`,
          title: nameOf(doc, to.node),
          detail: `in place of ${nameOf(doc, instead?.node ?? "")}`,
          group: end.side === "source" ? "To" : "From",
          icon: iconOf(doc.nodes.find((n) => n.id === to.node)?.type),
          run: () => {
            actions.reconnect(edge, linkOf(end, to));
            commands.focus.node(to.node);
          },
        }));
    });
  }
  if (from.length > 0) {
    const typeOf = (id: string) => doc.nodes.find((n) => n.id === id)?.type;
    const words = (end: edits.HandleEnd, handle: string) =>
      end.side === "source" ? `takes this as its ${handle}` : `as this one's ${end.handle}`;
    const there = from.flatMap((end) =>
      (popup.existing ? portsThatFit(doc, end) : []).map((to) => ({
        id: `port:${end.side}:${end.handle}:${to.node}:${to.handle}`,
        title: nameOf(doc, to.node),
        detail: words(end, to.handle),
        group: "On the canvas",
        icon: iconOf(typeOf(to.node)),
        run: () => {
          actions.connect(linkOf(end, to));
          commands.focus.node(end.node);
        },
      })),
    );
    const fresh = from.flatMap((end) =>
      edits
        .fitting({ type: typeOf(end.node) ?? "", handle: end.handle, side: end.side })
        .map((kind) => ({
          id: `new:${end.side}:${end.handle}:${kind.type}`,
          title: titleOf(kind.type),
          detail: words(end, kind.handle),
          group: "New node",
          icon: iconOf(kind.type),
          run: () => feed(end, kind.type),
        })),
    );
    const known = from.flatMap((end) =>
      end.side === "target" && (end.handle === "model" || end.handle === "dataset")
        ? sources(end.handle).map((s) => source(s, () => feed(end, s.type, s.data)))
        : [],
    );
    return [...there, ...fresh, ...known];
  }

  return [
    ...typedSources(typed).map((s) => ({
      ...source(s, () => add(s.type, s.data)),
      group: "What you typed",
    })),
    ...Object.keys(KINDS).map((type) => ({
      id: `node:${type}`,
      title: titleOf(type),
      group: "Nodes",
      icon: iconOf(type),
      run: () => add(type),
    })),
    ...TASKS.map(([task, name]) => ({
      id: `ready:${task}`,
      title: name,
      detail: "three nodes",
      group: "Ready-made",
      icon: "template" as const,
      run: () => put((d) => edits.paste(d, trio(task), popup.free ? null : spot("finetune"))),
    })),
    ...(["model", "dataset"] as const).flatMap((type) =>
      sources(type)
        .filter((s) => !typedSources(typed).some((t) => t.data.source === s.data.source))
        .map((s) => source(s, () => add(type, s.data))),
    ),
    ...ACTIONS.map(([command, icon]) => ({
      id: `action:${command}`,
      title: SHORTCUTS.find((s) => s.command === command)?.words ?? command,
      group: "Actions",
      icon,
      hint: hint(command, mac),
      run: () => commands.run[command](null),
    })),
  ];

  /** The three nodes of a task, with what is built in for it. */
  function trio(task: string): Workflow {
    const first = (options: SourceOption[]) =>
      (options.find((o) => o.tasks.includes(task)) ?? options[0])?.source ?? "";
    const piece = graph.addThree(EMPTY, first(catalog.models), first(catalog.datasets));
    const last = piece.nodes.at(-1);
    return last ? graph.setData(piece, last.id, { task }) : piece;
  }
}

/** An address, or a name as the Hub has them, which may be of either kind. */
function typedSources(typed: string): Source[] {
  const text = typed.trim();
  const found = read(text);
  if (found && "source" in found) {
    const { type, source, revision } = found.source;
    return [{ type, data: { source, revision }, title: source, detail: titleOf(type), also: text }];
  }
  if (!/^[\w.-]+\/[\w.-]+$/.test(text)) return [];
  return (["model", "dataset"] as const).map((type) => ({
    type,
    data: { source: text },
    title: text,
    detail: `${titleOf(type)} of the Hub`,
  }));
}

const iconOf = (type: string | undefined): IconName =>
  type && type in KINDS ? (type as IconName) : "unknown";

function nameOf(doc: Workflow, id: string): string {
  const node = doc.nodes.find((n) => n.id === id);
  return node?.label ?? titleOf(node?.type ?? "");
}
