/**
 * React Flow as its quick start has it, and nothing of ours: the same nodes at the same places,
 * each the elements that the studio drew for it, without a store, a hook or a listener.
 */
import {
  applyNodeChanges,
  Handle,
  type Node,
  type NodeProps,
  type Position,
  ReactFlow,
} from "@xyflow/react";
import { createElement, memo, type ReactNode, useCallback, useState } from "react";
import { createRoot } from "react-dom/client";

interface Graph {
  nodes: { id: string; like: string; position: { x: number; y: number } }[];
  edges: {
    id: string;
    source: string;
    target: string;
    sourceHandle: string;
    targetHandle: string;
  }[];
  /** The HTML of a node, by the name of its kind. */
  drawn: Record<string, string>;
  width: number;
  height: number;
  theme: string;
  culled: boolean;
  viewport: { x: number; y: number; zoom: number };
}
interface Model {
  get(name: "graph"): Graph;
}

const Plain = memo(({ data }: NodeProps<Node<{ drawn: ReactNode }>>) => data.drawn);
const nodeTypes = { plain: Plain };

/** The same elements, made once; a handle becomes React Flow's own. */
function elements(html: string): ReactNode {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.childNodes].map(element);
}

function element(node: ChildNode, key: number): ReactNode {
  if (!(node instanceof Element)) return node.textContent;
  const given = Object.fromEntries([...node.attributes].map((a) => [a.name, a.value]));
  const { style, class: className, value, ...others } = given;
  const common = { key, className, style: styles(style) };
  if (node.classList.contains("react-flow__handle")) {
    const side = (given["data-handlepos"] ?? "left") as Position;
    const type = node.classList.contains("source") ? "source" : "target";
    const own = [...node.classList].filter((name) => name.startsWith("em-")).join(" ");
    return (
      <Handle {...common} className={own} id={given["data-handleid"]} type={type} position={side} />
    );
  }
  const inside = [...node.childNodes].map(element);
  const field = value === undefined ? {} : { defaultValue: value };
  const plain = node.localName === "option" ? { value } : field;
  return createElement(node.localName, { ...common, ...others, ...plain }, ...inside);
}

const styles = (text = "") =>
  Object.fromEntries(
    text
      .split(";")
      .map((part) => part.split(":").map((side) => side.trim()))
      .filter(([name, value]) => name && value)
      .map(([name = "", value]) => [
        name.replace(/-(\w)/g, (_, c: string) => c.toUpperCase()),
        value,
      ]),
  );

function Bare({ graph }: { graph: Graph }) {
  const [nodes, setNodes] = useState<Node[]>(() => {
    const drawn = Object.fromEntries(Object.entries(graph.drawn).map(([k, v]) => [k, elements(v)]));
    return graph.nodes.map(({ id, like, position }) => ({
      id,
      type: "plain",
      position,
      data: { drawn: drawn[like] },
    }));
  });
  const onNodesChange = useCallback(
    (changes: Parameters<typeof applyNodeChanges>[0]) =>
      setNodes((before) => applyNodeChanges(changes, before)),
    [],
  );
  return (
    <ReactFlow
      nodes={nodes}
      edges={graph.edges}
      nodeTypes={nodeTypes}
      onNodesChange={onNodesChange}
      defaultViewport={graph.viewport}
      minZoom={0.2}
      maxZoom={2}
      preventScrolling={false}
      onlyRenderVisibleElements={graph.culled}
    />
  );
}

export default {
  render({ model, el }: { model: Model; el: HTMLElement }) {
    const graph = model.get("graph");
    el.className = "emnb-host";
    el.innerHTML = `<div class="emnb" data-theme="${graph.theme}" style="height:${graph.height}px">
      <main class="em-main"><div class="em-work"><div class="em-canvas"></div></div></main></div>`;
    const canvas = el.querySelector<HTMLElement>(".em-canvas");
    if (!canvas) return;
    canvas.style.cssText = `flex:none;width:${graph.width}px;height:${graph.height}px`;
    createRoot(canvas).render(<Bare graph={graph} />);
  },
};
