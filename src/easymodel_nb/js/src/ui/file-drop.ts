/** Files dragged from the computer: onto the canvas a new Dataset node, onto one its source. */
import { useReactFlow } from "@xyflow/react";
import { type DragEvent, type RefObject, useMemo } from "react";
import { freeSpot } from "../logic/place";
import { useActions } from "../state/session";
import { boxes } from "./add";

const ROW = 48; // how far apart several files are laid down
const carriesFiles = (e: DragEvent) => e.dataTransfer.types.includes("Files");

/** The Dataset node under the pointer. */
const under = (e: DragEvent): HTMLElement | null =>
  (e.target as Element).closest<HTMLElement>('.react-flow__node[data-node-type="dataset"]');

/** Files alone: a folder has no bytes of its own. */
function dropped(e: DragEvent): { files: File[]; folders: boolean } {
  const items = [...e.dataTransfer.items].filter((item) => item.kind === "file");
  const isFolder = (item: DataTransferItem) => item.webkitGetAsEntry?.()?.isDirectory ?? false;
  const files = items.filter((i) => !isFolder(i)).flatMap((i) => i.getAsFile() ?? []);
  return { files, folders: files.length < items.length };
}

export function useFileDrop(root: RefObject<HTMLElement | null>) {
  const actions = useActions();
  const flow = useReactFlow();
  return useMemo(() => {
    const mark = (over: HTMLElement | null, on: boolean) => {
      const canvas = root.current;
      if (!canvas) return;
      canvas.toggleAttribute("data-dropping", on && !over);
      for (const old of canvas.querySelectorAll("[data-drop-here]")) {
        if (old !== over) old.removeAttribute("data-drop-here");
      }
      if (on) over?.setAttribute("data-drop-here", "");
    };
    return {
      onDragOver(e: DragEvent) {
        if (!carriesFiles(e)) return;
        e.preventDefault();
        e.stopPropagation();
        e.dataTransfer.dropEffect = "copy";
        mark(under(e), true);
      },
      onDragLeave(e: DragEvent) {
        if (!root.current?.contains(e.relatedTarget as Element | null)) mark(null, false);
      },
      onDrop(e: DragEvent) {
        if (!carriesFiles(e)) return;
        e.preventDefault();
        e.stopPropagation();
        const node = under(e)?.dataset.nodeId;
        mark(null, false);
        const { files, folders } = dropped(e);
        if (folders) actions.say(FOLDER);
        const [first, ...others] = files;
        if (first && node) {
          actions.upload(node, first);
          if (others.length > 0) actions.say(`A node takes one file: ${first.name} was taken.`);
          return;
        }
        const at = flow.screenToFlowPosition({ x: e.clientX, y: e.clientY });
        const taken = boxes(flow);
        for (const [i, file] of files.entries()) {
          const spot = freeSpot(taken, "dataset", { x: at.x, y: at.y + i * ROW });
          actions.addFile(file, spot);
          taken.push({ ...spot, width: 232, height: 230 });
        }
      },
    };
  }, [actions, flow, root]);
}

const FOLDER =
  "A folder cannot be uploaded. Drop its files, or type its path if it lies on the kernel's machine.";
