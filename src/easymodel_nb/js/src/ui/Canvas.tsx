/**
 * The canvas. The document is in the store; React Flow gets nodes made from it, which
 * add only what is of this view: sizes, selection, and a position while it is dragged.
 */
import {
  applyNodeChanges,
  Background,
  type Connection,
  ConnectionMode,
  type Edge,
  type EdgeChange,
  type IsValidConnection,
  type Node,
  type NodeChange,
  type OnConnectStart,
  ReactFlow,
  useReactFlow,
} from "@xyflow/react";
import {
  type DragEvent,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { refusal } from "../logic/ports";
import { useActions, useSession, useStudio } from "../state/session";
import { useAddNode } from "./add";
import { Corner } from "./Corner";
import { useCanvasKeys } from "./canvas-keys";
import { Empty } from "./Empty";
import { FlowEdge } from "./FlowEdge";
import { useFileDrop } from "./file-drop";
import type { KeyHandlers } from "./keys";
import { mergeNodes, statusList } from "./merge";
import { FinetuneNode } from "./nodes/FinetuneNode";
import { NoteNode, UnknownNode } from "./nodes/OtherNodes";
import { DatasetNode, ModelNode } from "./nodes/SourceNode";
import { useInspected, useOpening } from "./opening";
import { DRAG_TYPE } from "./Toolbar";
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

export function Canvas({ onKeys }: { onKeys: (handlers: KeyHandlers | null) => void }) {
  const { store } = useSession();
  const actions = useActions();
  const doc = useStudio((s) => s.history.present);
  const statuses = useStudio(statusList);
  const opened = useStudio((s) => s.opened);
  const theme = useViewState((s) => s.theme);
  const add = useAddNode();
  const root = useRef<HTMLDivElement>(null);
  const flow = useReactFlow();
  const [nodes, setNodes] = useState<Node[]>([]);
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());

  // Nodes of another project may have the same ids; nothing of theirs is kept.
  const drawn = useRef(opened);
  useLayoutEffect(() => {
    const other = drawn.current !== opened;
    drawn.current = opened;
    setNodes((before) => mergeNodes(other ? [] : before, doc.nodes, statuses));
  }, [doc.nodes, statuses, opened]);

  const edges = useMemo<Edge[]>(
    () =>
      doc.edges.map((e) => ({
        id: e.id,
        type: "flow",
        source: e.source,
        sourceHandle: e.sourceHandle,
        target: e.target,
        targetHandle: e.targetHandle,
        selected: picked.has(e.id),
      })),
    [doc.edges, picked],
  );

  const onNodesChange = useCallback(
    (changes: NodeChange[]) => {
      setNodes((before) => applyNodeChanges(changes, before));
      const moved = changes.flatMap((c) =>
        c.type === "position" && c.dragging === false && c.position
          ? [[c.id, c.position] as const]
          : [],
      );
      if (moved.length > 0) actions.move(new Map(moved));
    },
    [actions],
  );
  const onEdgesChange = useCallback((changes: EdgeChange[]) => {
    setPicked((before) => {
      const after = new Set(before);
      for (const c of changes) {
        if (c.type === "select") c.selected ? after.add(c.id) : after.delete(c.id);
      }
      return after;
    });
  }, []);
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
  const onConnect = useCallback((c: Connection) => actions.connect(c), [actions]);
  const onConnectStart = useCallback<OnConnectStart>((_, { handleId }) => {
    if (root.current && handleId) root.current.dataset.connecting = handleId;
  }, []);
  const onConnectEnd = useCallback(() => {
    delete root.current?.dataset.connecting;
  }, []);
  const refocus = useCallback(() => root.current?.focus({ preventScroll: true }), []);
  const keys = useCanvasKeys(flow, actions, refocus);
  useEffect(() => {
    onKeys(keys);
    return () => onKeys(null);
  }, [keys, onKeys]);
  useOpening(root);
  useInspected();

  const files = useFileDrop(root);
  const onDrop = (e: DragEvent) => {
    const type = e.dataTransfer.getData(DRAG_TYPE);
    if (!type) return files.onDrop(e);
    e.preventDefault();
    e.stopPropagation();
    add(type, { x: e.clientX, y: e.clientY });
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: takes the focus and what is dropped
    <div
      ref={root}
      className="em-canvas"
      data-testid="em-canvas"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the pane takes the focus from the notebook
      tabIndex={0}
      onDragOver={(e) => {
        if (!e.dataTransfer.types.includes(DRAG_TYPE)) return files.onDragOver(e);
        e.preventDefault();
        e.dataTransfer.dropEffect = "copy";
      }}
      onDragLeave={files.onDragLeave}
      onDrop={onDrop}
    >
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        onNodesChange={onNodesChange}
        onEdgesChange={onEdgesChange}
        onConnect={onConnect}
        onConnectStart={onConnectStart}
        onConnectEnd={onConnectEnd}
        isValidConnection={isValid}
        connectionMode={ConnectionMode.Strict}
        connectionRadius={24}
        colorMode={theme}
        minZoom={0.2}
        maxZoom={2}
        onMoveEnd={(_, viewport) => actions.viewport(viewport)}
        onPaneClick={refocus}
        onlyRenderVisibleElements={nodes.length > CULL_FROM}
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
        <Background gap={16} size={1.5} />
        <Corner />
      </ReactFlow>
      {doc.nodes.length === 0 && <Empty />}
    </div>
  );
}

const ARIA = {
  "node.a11yDescription.default":
    "Press Enter or Space to select the node, the arrow keys to move it, Delete to remove it.",
  "node.a11yDescription.keyboardDisabled": "Press Enter or Space to select the node.",
};
