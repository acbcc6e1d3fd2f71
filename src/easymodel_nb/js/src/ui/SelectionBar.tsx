/** Over a selection of several nodes: line them up, copy, duplicate, delete. */
import { Panel, useStore } from "@xyflow/react";
import { memo } from "react";
import { hint, isMac } from "../logic/shortcuts";
import { ALIGNMENTS } from "./alignments";
import type { Commands } from "./commands";
import { Button } from "./parts";

const mac = isMac(navigator.platform);

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
  const { run, align } = commands;
  return (
    <Panel position="top-center">
      <div
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
});
