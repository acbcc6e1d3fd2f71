/** The workbench: sidebar, toolbar, canvas, inspector. */
import { ReactFlowProvider } from "@xyflow/react";
import { type DragEvent, type ReactNode, useCallback, useRef } from "react";
import { useActions, useStudio } from "../state/session";
import { Banners } from "./Banners";
import { Canvas } from "./Canvas";
import { CommandsContext, useNewCommands } from "./commands";
import { Inspector } from "./inspector/Inspector";
import type { KeyHandlers } from "./keys";
import { Live } from "./Live";
import { Outline } from "./outline/Outline";
import { Sidebar } from "./Sidebar";
import { Toolbar } from "./Toolbar";
import { NARROW, useView, useViewState } from "./view";

/** The frame's own edge, above and below. */
const FRAME = 2;

export function App({ onKeys }: { onKeys: (handlers: KeyHandlers | null) => void }) {
  const tab = useStudio((s) => s.tab);
  const height = useStudio((s) => s.height);
  const theme = useViewState((s) => s.theme);
  const width = useViewState((s) => s.width);
  const full = useViewState((s) => s.full);
  const moved = useStudio((s) => s.traits.beat.moved);
  const chosen = useStudio((s) => s.rail);
  const rail = chosen ?? width < NARROW;
  const lost = useStudio((s) => s.lostSince !== null);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only keeps dropped files out
    <div
      className="emnb"
      data-theme={theme}
      data-tab={tab}
      data-rail={rail || undefined}
      data-narrow={width < NARROW || undefined}
      data-lost={lost || undefined}
      data-jp-suppress-context-menu="true"
      style={{ height: full ? "100vh" : height - FRAME }}
      onDragOver={refuseFiles}
      onDrop={refuseFiles}
    >
      <Sidebar rail={rail} />
      <ReactFlowProvider>
        <WithCommands>
          <main className="em-main" hidden={tab !== "canvas"}>
            <Toolbar />
            <Banners />
            <div className="em-work">
              <Outline />
              <Canvas onKeys={onKeys} />
              <Inspector />
            </div>
          </main>
        </WithCommands>
      </ReactFlowProvider>
      <Live />
      {moved && <Moved />}
      <Grip />
    </div>
  );
}

function WithCommands({ children }: { children: ReactNode }) {
  return <CommandsContext.Provider value={useNewCommands()}>{children}</CommandsContext.Provider>;
}

/** A file let go beside the canvas would make the browser leave the notebook. */
function refuseFiles(e: DragEvent) {
  if (!e.dataTransfer.types.includes("Files")) return;
  e.preventDefault();
  e.dataTransfer.dropEffect = "none";
}

function Moved() {
  return (
    <div className="em-moved" role="status">
      <p>
        <b>This studio moved to the newer cell.</b>
        <br />
        Nothing was lost: go on there, or run this cell again to bring it back here.
      </p>
    </div>
  );
}

/** The bottom edge: drags the height between 420 and 1200; arrow keys do it too. */
function Grip() {
  const { setHeight } = useActions();
  const { el } = useView();
  const from = useRef<{ y: number; height: number } | null>(null);
  const root = useCallback(() => el.querySelector<HTMLElement>(".emnb")?.offsetHeight ?? 640, [el]);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a splitter has no element of its own
    <div
      className="em-grip"
      role="separator"
      aria-orientation="horizontal"
      aria-label="Height of the studio"
      aria-valuemin={420}
      aria-valuemax={1200}
      aria-valuenow={useStudio((s) => s.height)}
      tabIndex={0}
      onPointerDown={(e) => {
        e.currentTarget.setPointerCapture(e.pointerId);
        from.current = { y: e.clientY, height: root() };
      }}
      onPointerMove={(e) => {
        if (from.current) setHeight(from.current.height + e.clientY - from.current.y);
      }}
      onPointerUp={() => {
        from.current = null;
      }}
      onKeyDown={(e) => {
        const step = { ArrowUp: -20, ArrowDown: 20 }[e.key];
        if (!step) return;
        e.preventDefault();
        setHeight(root() + step);
      }}
    />
  );
}
