/** Finetuning: its inputs and fields, or the run that came of them. */
import type { NodeProps } from "@xyflow/react";
import { memo } from "react";
import { summary } from "../../logic/fields";
import { shortSource } from "../../logic/format";
import { fieldValue, inputOf } from "../../logic/graph";
import { titleOf } from "../../logic/ports";
import { isActive, latest, ofSweep, progress, statusWord } from "../../logic/runs";
import type { Node, Problem, RunCard } from "../../protocol";
import { useActions, useStudio } from "../../state/session";
import { Icon, type IconName } from "../icons";
import { FieldProblems, Loose } from "../Problem";
import { useProblems } from "../useProblems";
import { FinetuneFields } from "./FinetuneFields";
import { NodeFrame, sameId, useNode, useOpen, Wrong } from "./NodeFrame";
import { Port } from "./Port";
import { usePortsMoved } from "./ports-moved";
import { RunPanel } from "./RunPanel";
import { Strip } from "./Strip";
import { TokenLine } from "./TokenLine";
import { TrainButton } from "./TrainButton";

export const FinetuneNode = memo(function FinetuneNode({ id }: NodeProps) {
  const node = useNode(id);
  const run = useStudio((s) => latest(s.traits.runs.items, id));
  const unfolded = useStudio((s) => s.unfolded[id] ?? false);
  const inspected = useStudio((s) => s.inspector === id);
  const open = useOpen(id);
  const lost = useStudio((s) => s.lostSince !== null);
  const problems = useProblems(id);
  const fields = open && !inspected && (!run || unfolded);
  usePortsMoved(id, fields);
  if (!node) return null;
  const state = run ? (lost && run.status === "running" ? "lost" : run.status) : "idle";
  // In a node with a run the run speaks; the toolbar still counts its problems.
  const told = !open && state === "idle";
  const failing = told && problems.some((p) => p.severity === "error");
  const ring = run && state !== "idle" ? (progress(run).value ?? 0) : undefined;
  return (
    <NodeFrame
      node={node}
      icon="finetune"
      className={`em-finetune em-is-${state}${run ? " em-has-run" : ""}${open ? "" : " em-closed"}${failing ? " em-failing" : ""}`}
      word={told ? <Wrong problems={problems} /> : <Word run={run} state={state} />}
      {...(ring !== undefined && { ring: state === "finished" ? 1 : ring })}
    >
      {fields && <Inputs node={node} problems={problems} />}
      {!fields && <FoldedLine node={node} run={run} />}
      {fields && (
        <div className="em-body">
          <FinetuneFields node={node} problems={problems} />
          {run && <Strip node={node} />}
        </div>
      )}
      {open && run && <RunPanel node={node} run={run} problems={problems} brief={!fields} />}
      {open && !run && (
        <div className="em-body em-launch">
          <Loose problems={problems} hidden={!fields} />
          <Strip node={node} />
          <TokenLine />
          <TrainButton node={id} label="Train Model" />
        </div>
      )}
      <Port node={id} side="in" name="model" type="model" top={fields ? 57 : 13} />
      <Port node={id} side="in" name="dataset" type="dataset" top={fields ? 81 : 29} />
      <Port node={id} side="out" name="model" type="model" top={20} />
    </NodeFrame>
  );
}, sameId);

const SIGNS: Record<string, IconName> = {
  queued: "clock",
  finished: "check",
  failed: "alert",
  interrupted: "warn",
  lost: "warn",
};

function Word({ run, state }: { run: RunCard | undefined; state: string }) {
  const sign = SIGNS[state];
  const place = useStudio((s) => (run?.sweep ? placeIn(s.traits.runs.items, run) : null));
  const word = [statusWord(run, state === "lost"), place].filter(Boolean).join(", ");
  if (!word) return null;
  return (
    <span className="em-word">
      {sign && <Icon name={sign} size={12} />}
      {word}
    </span>
  );
}

/** "2 of 4", of a sweep that is under way. */
function placeIn(runs: RunCard[], run: RunCard): string | null {
  const all = ofSweep(runs, run);
  const at = all.findIndex((r) => r.id === run.id) + 1;
  return run.status === "running" && all.length > 1 ? `${at} of ${all.length}` : null;
}

function Inputs({ node, problems }: { node: Node; problems: Problem[] }) {
  return (
    <div className="em-inputs">
      {["model", "dataset"].map((handle) => (
        <div key={handle}>
          <div className="em-input-row">
            <span>{handle}</span>
            <InputName id={node.id} handle={handle} />
          </div>
          <FieldProblems
            id={`${node.id}-${handle}-problems`}
            problems={problems.filter((p) => p.field === handle)}
          />
        </div>
      ))}
    </div>
  );
}

/** What is connected, by its own name, so that the node reads alone. */
function InputName({ id, handle }: { id: string; handle: string }) {
  const name = useStudio((s) => {
    const source = inputOf(s.history.present, id, handle);
    if (!source) return null;
    if (source.type === "finetune") return `result of ${source.label ?? titleOf(source.type)}`;
    if (source.label) return source.label;
    return shortSource(String(fieldValue(source, "source") ?? "")) || "no source yet";
  });
  return (
    <span
      className={name ? "em-ellipsis em-strong" : "em-muted"}
      title={name ?? undefined}
      dir="auto"
    >
      {name ?? "not connected"}
    </span>
  );
}

/** The fields as one line; a press unfolds them again. */
function FoldedLine({ node, run }: { node: Node; run: RunCard | undefined }) {
  const actions = useActions();
  const inspected = useStudio((s) => s.inspector === node.id);
  const text = (run && isActive(run) && run.summary) || summary(node);
  return (
    <button
      type="button"
      className="em-folded em-fold-button em-ellipsis nodrag"
      title={inspected ? text : `${text}. Press to show the fields.`}
      disabled={inspected}
      onClick={(e) => {
        e.stopPropagation();
        actions.setOpen(node.id, true);
        if (run) actions.setUnfolded(node.id, true);
      }}
    >
      {text}
    </button>
  );
}
