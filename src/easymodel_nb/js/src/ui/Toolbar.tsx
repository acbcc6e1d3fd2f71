/** Palette, undo and redo, fit and layout, then what waits, what is wrong, and Train all. */
import type { DragEvent } from "react";
import { titleOf } from "../logic/ports";
import { isActive } from "../logic/runs";
import { type Command, hint, isMac } from "../logic/shortcuts";
import { useActions, useStudio } from "../state/session";
import { useAddNode } from "./add";
import { useCommands } from "./commands";
import { Icon, type IconName } from "./icons";
import { OutlineButton } from "./outline/Outline";
import { ProblemsCounter } from "./ProblemsCounter";
import { Button } from "./parts";
import { Queue } from "./Queue";

export const DRAG_TYPE = "application/x-easymodel-node";
const mac = isMac(navigator.platform);
const PALETTE = ["model", "dataset", "finetune"] as const;

export function Toolbar() {
  const empty = useStudio((s) => s.history.present.nodes.length === 0);
  const canUndo = useStudio((s) => s.history.past.length > 0);
  const canRedo = useStudio((s) => s.history.future.length > 0);
  return (
    <div className="em-toolbar" role="toolbar" aria-label="Canvas tools">
      {PALETTE.map((type) => (
        <Chip key={type} type={type} />
      ))}
      <Tool command="search" icon="search" label="Search and add" />
      <span className="em-rule" />
      <Tool command="undo" icon="undo" label="Undo" disabled={!canUndo} />
      <Tool command="redo" icon="redo" label="Redo" disabled={!canRedo} />
      <span className="em-rule" />
      <Tool command="showAll" icon="fit" label="Show everything" disabled={empty} />
      <Tool command="arrange" icon="layout" label="Arrange the nodes" disabled={empty} />
      <OutlineButton />
      <span className="em-grow" />
      <Queue />
      {!empty && <ProblemsCounter />}
      <TrainAll />
    </div>
  );
}

function Tool(p: { command: Command; icon: IconName; label: string; disabled?: boolean }) {
  const { run } = useCommands();
  return (
    <Button
      icon={p.icon}
      kind="quiet"
      label={p.label}
      hint={hint(p.command, mac)}
      testid={p.command}
      disabled={p.disabled ?? false}
      onClick={() => run[p.command](null)}
    />
  );
}

function Chip({ type }: { type: (typeof PALETTE)[number] }) {
  const add = useAddNode();
  const onDragStart = (e: DragEvent) => {
    e.dataTransfer.setData(DRAG_TYPE, type);
    e.dataTransfer.setData("text/plain", titleOf(type));
    e.dataTransfer.effectAllowed = "copy";
  };
  return (
    <button
      type="button"
      className="em-chip"
      draggable
      data-testid={`palette-${type}`}
      title={`Drag onto the canvas, or press to add a ${titleOf(type)} node`}
      onDragStart={onDragStart}
      onClick={() => add(type)}
    >
      <span className="em-grip-dots" aria-hidden="true" />
      <span className={`em-kind-${type}`}>
        <Icon name={type as IconName} size={14} />
      </span>
      <span className="em-chip-name">{titleOf(type)}</span>
    </button>
  );
}

/** Secondary with one Finetuning node, whose own button is the filled one. */
function TrainAll() {
  const actions = useActions();
  const nodes = useStudio(
    (s) => s.history.present.nodes.filter((n) => n.type === "finetune").length,
  );
  const active = useStudio((s) => s.traits.runs.items.some(isActive));
  const lost = useStudio((s) => s.lostSince !== null);
  const starting = useStudio((s) => s.starting.includes("*"));
  const stopping = useStudio((s) => s.stopping.includes("*"));
  if (active) {
    return (
      <Button
        icon="stop"
        testid="stop-all"
        disabled={lost || stopping}
        onClick={() => void actions.stop(null)}
      >
        Stop all
      </Button>
    );
  }
  return (
    <Button
      icon="play"
      kind={nodes > 1 ? "primary" : "secondary"}
      testid="train-all"
      disabled={nodes === 0 || lost || starting}
      onClick={() => void actions.train(null)}
    >
      Train all
    </Button>
  );
}
