/**
 * What is let go on the canvas: a chip of the palette, files (onto the canvas a new Dataset
 * node, onto one its source), or an address of a model or of data.
 */
import { useReactFlow } from "@xyflow/react";
import { type DragEvent, type RefObject, useMemo } from "react";
import { freeSpot } from "../logic/place";
import { SUFFIX } from "../logic/project-list";
import type { Position } from "../protocol";
import { useActions } from "../state/session";
import { takenPlaces, useAddNode } from "./add";
import type { Commands } from "./commands";
import { DRAG_TYPE } from "./Toolbar";
import { useView } from "./view";

const ROW = 48; // how far apart several files are laid down
const carries = (e: DragEvent, type: string) => e.dataTransfer.types.includes(type);
const ADDRESS = "text/uri-list";

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

export function useDrops(root: RefObject<HTMLElement | null>, commands: Commands) {
  const actions = useActions();
  const flow = useReactFlow();
  const view = useView();
  const add = useAddNode();
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
    /** Projects are imported; what is left is data. */
    const besidesProjects = (files: File[]) => {
      const isProject = (f: File) => f.name.toLowerCase().endsWith(SUFFIX);
      for (const file of files.filter(isProject)) void actions.projectImport(file);
      return files.filter((f) => !isProject(f));
    };
    /** One Dataset node a file. */
    const lay = (files: File[], at: Position) => {
      const taken = takenPlaces(flow, view.el);
      for (const [i, file] of files.entries()) {
        const spot = freeSpot(taken, "dataset", { x: at.x, y: at.y + i * ROW });
        actions.addFile(file, spot);
        taken.push({ ...spot, width: 232, height: 230 });
      }
    };
    const handlers = {
      onDragOver(e: DragEvent) {
        const files = carries(e, "Files");
        if (!files && !carries(e, DRAG_TYPE) && !carries(e, ADDRESS)) return;
        e.preventDefault();
        e.stopPropagation();
        e.dataTransfer.dropEffect = "copy";
        if (files) mark(under(e), true);
      },
      onDragLeave(e: DragEvent) {
        if (!root.current?.contains(e.relatedTarget as Element | null)) mark(null, false);
      },
      onDrop(e: DragEvent) {
        const at = { x: e.clientX, y: e.clientY };
        const chip = e.dataTransfer.getData(DRAG_TYPE);
        const address = e.dataTransfer.getData(ADDRESS).split("\n", 1)[0]?.trim();
        if (!chip && !carries(e, "Files") && !address) return;
        e.preventDefault();
        e.stopPropagation();
        if (chip) {
          commands.show([add(chip, at)].filter(Boolean));
          return;
        }
        if (!carries(e, "Files")) {
          commands.show(commands.clip.put(address ?? "", flow.screenToFlowPosition(at)));
          return;
        }
        const node = under(e)?.dataset.nodeId;
        mark(null, false);
        const { files, folders } = dropped(e);
        if (folders) actions.say(FOLDER);
        const data = besidesProjects(files);
        const [first, ...others] = data;
        if (first && node) {
          actions.upload(node, first);
          if (others.length > 0) actions.say(`A node takes one file: ${first.name} was taken.`);
          return;
        }
        lay(data, flow.screenToFlowPosition(at));
      },
    };
    /** Files from the clipboard, laid where the pointer is. */
    const addFiles = (files: File[]) => {
      const box = root.current?.getBoundingClientRect() ?? new DOMRect();
      const middle = { x: box.left + box.width / 2, y: box.top + box.height / 2 };
      lay(besidesProjects(files), flow.screenToFlowPosition(view.pointer ?? middle));
    };
    return { handlers, addFiles };
  }, [actions, flow, root, add, commands, view]);
}

const FOLDER =
  "A folder cannot be uploaded. Drop its files, or type its path if it is on the kernel's machine.";
