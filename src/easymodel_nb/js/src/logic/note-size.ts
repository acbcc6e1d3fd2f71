/** How large a note is; kept in its data, where other versions leave alone what they do not know. */
import type { Node, Workflow } from "../protocol";
import { setData } from "./graph";

export interface NoteSize {
  width: number;
  /** Of what is written; a longer text makes the note higher. */
  height: number;
}

const LEAST = { width: 144, height: 56 };
const MOST = { width: 800, height: 1200 };
const USUAL: NoteSize = { width: 200, height: 56 };

function within(value: unknown, side: keyof NoteSize): number {
  const length = typeof value === "number" && Number.isFinite(value) ? value : USUAL[side];
  return Math.round(Math.min(MOST[side], Math.max(LEAST[side], length)));
}
const bounded = (size: { width: unknown; height: unknown }): NoteSize => ({
  width: within(size.width, "width"),
  height: within(size.height, "height"),
});

export const noteSize = (node: Node | undefined): NoteSize =>
  bounded({ width: node?.data.width, height: node?.data.height });

/** No change where it is as large already, also when nobody ever said so. */
export function resizeNote(doc: Workflow, id: string, size: NoteSize): Workflow {
  const node = doc.nodes.find((n) => n.id === id);
  const [now, next] = [noteSize(node), bounded(size)];
  if (now.width === next.width && now.height === next.height) return doc;
  return setData(doc, id, { ...next });
}
