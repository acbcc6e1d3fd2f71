/** Over a selection of several nodes: line them up, copy, duplicate, delete. */
import { Panel, type PanelPosition, type ReactFlowState, useStore } from "@xyflow/react";
import { memo, useCallback, useLayoutEffect, useRef } from "react";
import { type Box, leastCovering } from "../logic/place";
import { hint, isMac } from "../logic/shortcuts";
import { ALIGNMENTS } from "./alignments";
import type { Commands } from "./commands";
import { Button } from "./parts";

const mac = isMac(navigator.platform);
const MARGIN = 12;
const HEAD = 40;
/** Minimap and zoom bar: the corner that is not for it. */
const CORNER = { width: 400, height: 110 };
const PLACES: readonly PanelPosition[] = [
  "top-center",
  "top-right",
  "top-left",
  "bottom-right",
  "bottom-center",
];

/** Where a bar of that size covers least, titles of nodes least of all. */
function freest(s: ReactFlowState, size: { width: number; height: number }): PanelPosition {
  const [x, y, zoom] = s.transform;
  const spare = { width: s.width - size.width, height: s.height - size.height };
  const across = { left: MARGIN, center: spare.width / 2, right: spare.width - MARGIN };
  const places = PLACES.map((place) => {
    const [side, at] = place.split("-") as ["top" | "bottom", keyof typeof across];
    return { ...size, x: across[at], y: side === "top" ? MARGIN : spare.height - MARGIN };
  });
  const there: Box[] = [{ x: 0, y: s.height - CORNER.height, ...CORNER }];
  for (const node of s.nodeLookup.values()) {
    const { width = 0, height = 0 } = node.measured;
    const at = node.internals.positionAbsolute;
    const box = { x: at.x * zoom + x, y: at.y * zoom + y, width: width * zoom };
    there.push({ ...box, height: height * zoom }, { ...box, height: HEAD * zoom });
  }
  return PLACES[leastCovering(places, there)] ?? "top-center";
}

/** It stays while anything moves, and then goes where it is out of the way. */
function useFreest() {
  const bar = useRef<HTMLDivElement>(null);
  const size = useRef({ width: 420, height: 36 });
  const last = useRef<PanelPosition>("top-center");
  useLayoutEffect(() => {
    const { offsetWidth: width, offsetHeight: height } = bar.current ?? {};
    if (width && height) size.current = { width, height };
  });
  const position = useStore(
    useCallback((s: ReactFlowState) => {
      const moves = s.paneDragging || s.nodes.some((n) => n.dragging);
      if (!moves) last.current = freest(s, size.current);
      return last.current;
    }, []),
  );
  return { bar, position };
}

export const SelectionBar = memo(function SelectionBar({ commands }: { commands: Commands }) {
  const list = useStore((s) =>
    s.nodes.reduce((ids, n) => (n.selected ? `${ids} ${JSON.stringify(n.id)}` : ids), ""),
  );
  const boxing = useStore((s) => s.userSelectionActive);
  const ids = list
    .split(" ")
    .filter(Boolean)
    .map((id) => JSON.parse(id) as string);
  if (ids.length < 2 || boxing) return null;
  return <Bar ids={ids} commands={commands} />;
});

function Bar({ ids, commands }: { ids: string[]; commands: Commands }) {
  const { bar, position } = useFreest();
  const { run, align } = commands;
  return (
    <Panel position={position}>
      <div
        ref={bar}
        className="em-selection"
        role="toolbar"
        aria-label="Selected nodes"
        data-testid="selection-bar"
      >
        <span>{ids.length} nodes</span>
        <span className="em-rule" />
        {ALIGNMENTS.filter(({ how }) => ids.length > 2 || (how !== "across" && how !== "down")).map(
          ({ how, label, icon }) => (
            <Button
              key={how}
              icon={icon}
              kind="quiet"
              label={label}
              testid={`align-${how}`}
              onClick={() => align(ids, how)}
            />
          ),
        )}
        <span className="em-rule" />
        <Button
          icon="copy"
          kind="quiet"
          label="Copy"
          hint={hint("copy", mac)}
          testid="selection-copy"
          onClick={() => run.copy(null)}
        />
        <Button
          icon="duplicate"
          kind="quiet"
          label="Duplicate"
          hint={hint("duplicate", mac)}
          testid="selection-duplicate"
          onClick={() => run.duplicate(null)}
        />
        <Button
          icon="trash"
          kind="quiet"
          label="Delete"
          hint={hint("remove", mac)}
          testid="selection-delete"
          onClick={() => run.remove(null)}
        />
      </div>
    </Panel>
  );
}
