/** A clash in words: what it is about, and the value on either side. */
import { DEFAULTS, type Node, type Workflow } from "../protocol";
import { label as fieldLabel } from "./changes";
import { type Clash, DELETED, EDITED } from "./clash";
import { show, TASKS } from "./fields";
import { nameOf } from "./names";
import { KINDS, titleOf } from "./ports";

export interface ClashWords {
  key: string;
  about: string;
  mine: string;
  theirs: string;
}

const OTHER: Record<string, string> = {
  label: "Name",
  position: "Place",
  source: "Source",
  text: "Text",
};
const LONGEST = 48;

export const clashKey = ({ node, field }: Clash) => `${node}\n${field}`;

/** `mine` and `theirs` are the documents of the two sides: names come from whichever has them. */
export function inWords(clash: Clash, mine: Workflow, theirs: Workflow): ClashWords {
  const find = (id: unknown) => [...mine.nodes, ...theirs.nodes].find((n) => n.id === id);
  const name = (id: unknown) => {
    const node = find(id);
    return node ? nameOf(node) : String(id);
  };
  const node = find(clash.node);
  const { field } = clash;
  const input = field !== null && node && KINDS[node.type]?.inputs[field] !== undefined;
  const label = field && (input ? `${titleOf(field)} input` : (OTHER[field] ?? named(node, field)));
  const say = (value: unknown): string => {
    if (field === null) return value === DELETED ? "deleted" : value === EDITED ? "edited" : "";
    if (input) return list(value).map(name).join(", ") || "not connected";
    return short(field, value ?? DEFAULTS[node?.type ?? ""]?.[field]);
  };
  return {
    key: clashKey(clash),
    about: [clash.node === null ? "Project" : name(clash.node), label].filter(Boolean).join(", "),
    mine: say(clash.mine),
    theirs: say(clash.theirs),
  };
}

const named = (node: Node | undefined, field: string) => (node ? fieldLabel(node, field) : field);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function short(field: string, value: unknown): string {
  if (field === "position") {
    const at = value as { x?: number; y?: number } | undefined;
    return `at ${Math.round(at?.x ?? 0)}, ${Math.round(at?.y ?? 0)}`;
  }
  const text = TASKS.find(([task]) => field === "task" && task === value)?.[1] ?? show(value);
  if (text === "") return value === "" ? "empty" : "auto";
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}
