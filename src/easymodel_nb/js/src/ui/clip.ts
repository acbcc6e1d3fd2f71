/**
 * The clipboard: through its own events where a key was pressed, through the browser's API
 * where a menu was used, and through a copy kept here where the browser forbids both.
 */
import { read } from "../logic/clipboard";
import type { Position } from "../protocol";
import type { Actions } from "../state/actions";
import type { View } from "./view";

const NOTHING =
  "There is nothing to paste. Copy nodes, or the address of a model, a dataset or a data file.";

export function makeClip(view: View, actions: Actions, place: (type: string) => Position) {
  const keep = (clip: string) => {
    view.store.setState({ clip });
    return clip;
  };
  const write = (text: string) => {
    navigator.clipboard?.writeText(keep(text)).catch(() => {}); // what is kept here is pasted then
  };
  /** The nodes that the text became. */
  function put(text: string, at: Position | null = null): string[] {
    const found = read(text);
    if (!found) {
      actions.say(NOTHING);
      return [];
    }
    // Nodes land beside where they were; an address has no place of its own.
    return actions.paste(text, at ?? ("source" in found ? place(found.source.type) : null));
  }
  return {
    put,
    copyText: (nodes: string[]) => keep(actions.copy(nodes)),
    cutText: (nodes: string[]) => keep(actions.cut(nodes)),
    copy(nodes: string[]) {
      if (nodes.length > 0) write(actions.copy(nodes));
    },
    cut(nodes: string[]) {
      if (nodes.length > 0) write(actions.cut(nodes));
    },
    async paste(at: Position | null = null): Promise<string[]> {
      const { clip } = view.store.getState();
      const text = await (navigator.clipboard?.readText?.() ?? Promise.resolve(clip)).catch(
        () => clip,
      );
      return put(text || clip, at);
    },
  };
}
