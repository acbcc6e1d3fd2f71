/** Files let go on the sidebar: projects to import. */
import { type DragEvent, useMemo } from "react";
import { useActions } from "../../state/session";

const carriesFiles = (e: DragEvent) => e.dataTransfer.types.includes("Files");

export function useProjectDrop() {
  const { projectImport } = useActions();
  return useMemo(() => {
    const mark = (e: DragEvent<HTMLElement>, on: boolean) =>
      e.currentTarget.toggleAttribute("data-dropping", on);
    return {
      onDragOver(e: DragEvent<HTMLElement>) {
        if (!carriesFiles(e)) return;
        e.preventDefault();
        e.stopPropagation();
        e.dataTransfer.dropEffect = "copy";
        mark(e, true);
      },
      onDragLeave(e: DragEvent<HTMLElement>) {
        if (!e.currentTarget.contains(e.relatedTarget as Element | null)) mark(e, false);
      },
      onDrop(e: DragEvent<HTMLElement>) {
        if (!carriesFiles(e)) return;
        e.preventDefault();
        e.stopPropagation();
        mark(e, false);
        for (const file of e.dataTransfer.files) void projectImport(file);
      },
    };
  }, [projectImport]);
}
