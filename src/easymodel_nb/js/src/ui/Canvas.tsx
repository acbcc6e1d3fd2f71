/**
 * The canvas. The document is in the store; React Flow gets nodes made from it, which
 * add only what is of this view: sizes, selection, and a position while it is dragged.
 */
import {
  applyNodeChanges,
  Background,
  ConnectionMode,
  type Edge,
  type EdgeChange,
  type IsValidConnection,
  type Node,
  type NodeChange,
  ReactFlow,
  SelectionMode,
  useKeyPress,
  useStoreApi,
  type Viewport,
} from "@xyflow/react";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { refusal } from "../logic/ports";
import { useActions, useSession, useStudio } from "../state/session";
import { Corner } from "./Corner";
import { nudgeFirst, useCanvasKeys } from "./canvas-keys";
import { GRID, useCommands } from "./commands";
import { useConnecting } from "./connecting";
import { Empty } from "./Empty";
import { FlowEdge } from "./FlowEdge";
import { useDrops } from "./file-drop";
import { useFolding } from "./folding";
import { Guides, useGuides } from "./Guides";
import type { KeyHandlers } from "./keys";
import { edgeNames, mergeNodes, statusList } from "./merge";
import { FinetuneNode } from "./nodes/FinetuneNode";
import { NoteNode, UnknownNode } from "./nodes/OtherNodes";
import { DatasetNode, ModelNode } from "./nodes/SourceNode";
import { useInspected, useOpening } from "./opening";
import { Popups } from "./Popups";
import { usePointer } from "./pointer";
import { SelectionBar } from "./SelectionBar";
import { useViewState } from "./view";

const nodeTypes = {
  model: ModelNode,
  dataset: DatasetNode,
  finetune: FinetuneNode,
  note: NoteNode,
  unknown: UnknownNode,
};
const edgeTypes = { flow: FlowEdge };
const CULL_FROM = 200;
const SEVERAL = ["Shift", "Control", "Meta"];
const QUIET = { preventDefault: false };
const MIDDLE_BUTTON = [1];

export function Canvas({ onKeys }: { onKeys: (handlers: KeyHandlers | null) => void }) {
  const { store } = useSession();
  const actions = useActions();
  const commands = useCommands();
  const doc = useStudio((s) => s.history.present);
  const statuses = useStudio(statusList);
  const opened = useStudio((s) => s.opened);
  const held = useStudio((s) => s.traits.document.held !== null);
  const names = useStudio(edgeNames);
  const theme = useViewState((s) => s.theme);
  const tool = useViewState((s) => s.tool);
  const snap = useViewState((s) => s.snap);
  const root = useRef<HTMLDivElement>(null);
  const [nodes, setNodes] = useState<Node[]>([]);
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());

  // Nodes of another project may have the same ids; nothing of theirs is kept.
  const drawn = useRef<number | null>(null);
  useLayoutEffect(() => {
    const other = drawn.current !== opened;
    drawn.current = opened;
    setNodes((before) => mergeNodes(other ? [] : before, doc.nodes, statuses, other));
  }, [doc.nodes, statuses, opened]);

  const edges = useMemo<Edge[]>(() => {
    const known = new Map(names.split("\n").map((line) => line.split("\t") as [string, string]));
    return doc.edges.map((e) => ({
      id: e.id,
      type: "flow",
      source: e.source,
      sourceHandle: e.sourceHandle,
      target: e.target,
      targetHandle: e.targetHandle,
      selected: picked.has(e.id),
      ariaLabel: known.get(e.id) ?? "Connection",
    }));
  }, [doc.edges, picked, names]);

  const lines = useGuides();
  const onNodesChange = useCallback(
    (given: NodeChange[]) => {
      const changes = lines.adjust(given);
      setNodes((before) => applyNodeChanges(changes, before));
      const moved = changes.flatMap((c) =>
        c.type === "position" && c.dragging === false && c.position
          ? [[c.id, c.position] as const]
          : [],
      );
      if (moved.length > 0) actions.move(new Map(moved));
    },
    [actions, lines],
  );
  const flowStore = useStoreApi();
  const onEdgesChange = useCallback(
    (changes: EdgeChange[]) => {
      const boxing = flowStore.getState().userSelectionRect !== null; // a box is about nodes
      setPicked((before) => {
        const after = new Set(before);
        for (const c of changes) {
          if (c.type !== "select") continue;
          if (c.selected && !boxing) after.add(c.id);
          else after.delete(c.id);
        }
        return after;
      });
    },
    [flowStore],
  );
  const isValid = useCallback<IsValidConnection>(
    (c) =>
      refusal(store.getState().history.present, {
        source: c.source,
        sourceHandle: c.sourceHandle ?? null,
        target: c.target,
        targetHandle: c.targetHandle ?? null,
      }) === null,
    [store],
  );
  const folding = useFolding();
  const isShown = useOpening(root);
  const onMoveEnd = useCallback(
    (_: unknown, viewport: Viewport) => {
      if (isShown()) actions.viewport(viewport);
      folding.settled();
    },
    [actions, folding, isShown],
  );
  const connecting = useConnecting(root, commands);
  const drops = useDrops(root, commands);
  const keys = useCanvasKeys(commands, drops.addFiles);
  useEffect(() => {
    onKeys(keys);
    return () => onKeys(null);
  }, [keys, onKeys]);
  useInspected();
  const pointer = usePointer(commands);
  const boxing = useKeyPress("Shift", QUIET) || tool === "select";
  const { focus } = commands;

  return (
    <div
      ref={root}
      className="em-canvas"
      data-testid="em-canvas"
      data-tool={tool}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the pane takes the focus from the notebook
      tabIndex={0}
      onKeyDownCapture={(e) => nudgeFirst(e, commands)}
      {...pointer}
      {...drops.handlers}
    >
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        onNodesChange={onNodesChange}
        onEdgesChange={onEdgesChange}
        onNodeClick={focus.keep}
        {...connecting}
        isValidConnection={isValid}
        connectionMode={ConnectionMode.Strict}
        connectionRadius={24}
        colorMode={theme}
        minZoom={0.2}
        maxZoom={2}
        onMoveStart={folding.onMoveStart}
        onMoveEnd={onMoveEnd}
        onPaneClick={focus.canvas}
        onSelectionEnd={focus.canvas}
        onlyRenderVisibleElements={nodes.length > CULL_FROM}
        nodesDraggable={!held}
        nodesConnectable={!held}
        snapToGrid={snap}
        snapGrid={SNAP}
        selectionMode={SelectionMode.Partial}
        selectionOnDrag={boxing}
        panOnDrag={boxing ? MIDDLE_BUTTON : true}
        multiSelectionKeyCode={SEVERAL}
        deleteKeyCode={null}
        panActivationKeyCode={null}
        selectionKeyCode={null}
        zoomOnScroll={false}
        preventScrolling={false}
        zoomOnDoubleClick={false}
        nodeDragThreshold={3}
        attributionPosition="bottom-right"
        ariaLabelConfig={ARIA}
      >
        <Background gap={GRID} size={1.5} />
        <Corner />
        <SelectionBar commands={commands} />
        <Guides store={lines.store} />
      </ReactFlow>
      {doc.nodes.length === 0 && <Empty />}
      <Popups commands={commands} />
    </div>
  );
}

const SNAP: [number, number] = [GRID, GRID];
const ARIA = {
  "node.a11yDescription.default":
    "Press Enter or Space to select the node, the arrow keys to move it, C to connect it, Delete to remove it, Shift and F10 for all that can be done.",
  "node.a11yDescription.keyboardDisabled": "Press Enter or Space to select the node.",
};
