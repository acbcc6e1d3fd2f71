/** Nodes as text in the clipboard, and what a text in the clipboard may stand for. */
import type { Edge, Node, Workflow } from "../protocol";
import { copyOf } from "./edits";

export interface Source {
  type: "model" | "dataset";
  source: string;
  revision: string | null;
}
export type Clip = { piece: Workflow } | { source: Source } | null;

const FORMAT = "easymodel.workflow";
const VERSION = 1;

/** The nodes as a workflow document of their own, which the command line reads too. */
export function write(doc: Workflow, ids: Iterable<string>): string {
  const { format, version, name, nodes, edges } = copyOf(doc, ids);
  return JSON.stringify({ format, version, name, nodes, edges }, null, 1);
}

/** A workflow, or the address of a model or a dataset; null for every other text. */
export function read(text: string): Clip {
  const trimmed = text.trim();
  if (trimmed.startsWith("{")) {
    const piece = readPiece(trimmed);
    return piece && { piece };
  }
  const source = readAddress(trimmed);
  return source && { source };
}

type Loose = Record<string, unknown>;
const isObject = (value: unknown): value is Loose =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const finite = (value: unknown) =>
  typeof value === "number" && Number.isFinite(value) ? value : 0;

function readPiece(text: string): Workflow | null {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return null;
  }
  // A newer version may mean by the same words something else.
  if (!isObject(raw) || raw.format !== FORMAT || raw.version !== VERSION) return null;
  const nodes = list(raw.nodes).flatMap((n) => readNode(n) ?? []);
  const first = new Map(nodes.map((n) => [n.id, n]));
  if (nodes.length === 0) return null;
  return {
    format: FORMAT,
    version: VERSION,
    name: isText(raw.name) ? raw.name : "",
    nodes: [...first.values()],
    edges: list(raw.edges).flatMap((e) => readEdge(e) ?? []),
    viewport: { x: 0, y: 0, zoom: 1 },
  };
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function readNode(raw: unknown): Node | null {
  if (!isObject(raw) || !isText(raw.id) || !isText(raw.type)) return null;
  const at = isObject(raw.position) ? raw.position : {};
  return {
    ...raw,
    id: raw.id,
    type: raw.type,
    label: isText(raw.label) ? raw.label : null,
    position: { x: finite(at.x), y: finite(at.y) },
    data: isObject(raw.data) ? raw.data : {},
  };
}

function readEdge(raw: unknown): Edge | null {
  if (!isObject(raw) || !isText(raw.source) || !isText(raw.target)) return null;
  return {
    ...raw,
    id: isText(raw.id) ? raw.id : "",
    source: raw.source,
    sourceHandle: isText(raw.sourceHandle) ? raw.sourceHandle : null,
    target: raw.target,
    targetHandle: isText(raw.targetHandle) ? raw.targetHandle : null,
  };
}

const HUB = new Set(["huggingface.co", "www.huggingface.co", "hf.co"]);
const DATA =
  /\.(csv|tsv|tab|jsonl?|ndjson|txt|text|parquet|pq|arrow|feather|ipc|conll(03|u)?|bio|iob2?|ner)(\.(gz|bz2|xz))?$/i;
/** Pages of the Hub that are no models, though their address looks like one. */
const PAGES = new Set(
  (
    "api blog chat collections docs enterprise inference inference-endpoints join kernels " +
    "languages learn login models new new-dataset new-space notifications organizations papers " +
    "posts pricing privacy search settings spaces storage support tasks terms-of-service welcome"
  ).split(" "),
);
const NAME = /^[\w.-]+$/;

function readAddress(text: string): Source | null {
  if (/\s/.test(text)) return null;
  let url: URL;
  try {
    url = new URL(/^(www\.)?(huggingface|hf)\.co\//i.test(text) ? `https://${text}` : text);
  } catch {
    return null;
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return null;
  if (HUB.has(url.hostname)) return readHub(url);
  const isData = url.protocol === "https:" && DATA.test(url.pathname);
  return isData ? { type: "dataset", source: text, revision: null } : null;
}

function readHub(url: URL): Source | null {
  const parts = url.pathname.split("/").filter(Boolean).map(decoded);
  const type = parts[0] === "datasets" ? "dataset" : "model";
  if (type === "dataset") parts.shift();
  const what = parts.findIndex((part, i) => i > 0 && VIEWS.has(part));
  const name = parts.slice(0, what < 0 ? 2 : Math.min(what, 2));
  const [owner] = name;
  if (!owner || PAGES.has(owner) || !name.every((part) => NAME.test(part))) return null;
  const view = what < 0 ? "" : parts[what];
  // A file in a dataset repository is data of its own; its raw content lies under "resolve".
  const isFile = view === "blob" || view === "resolve" || view === "raw";
  if (type === "dataset" && isFile && DATA.test(url.pathname)) {
    const path = url.pathname.replace(/\/(blob|raw)\//, "/resolve/");
    return { type: "dataset", source: `https://huggingface.co${path}`, revision: null };
  }
  const revision = what < 0 || !REVISED.has(view ?? "") ? null : revisionOf(parts.slice(what + 1));
  return { type, source: name.join("/"), revision: revision === "main" ? null : revision };
}

/** A commit, a tag or a branch; "refs/pr/1" is one too. */
function revisionOf([first, ...rest]: string[]): string | null {
  return first === "refs" ? [first, ...rest.slice(0, 2)].join("/") : (first ?? null);
}

const REVISED = new Set(["tree", "blob", "resolve", "raw", "commits", "commit"]);
const VIEWS = new Set([...REVISED, "discussions", "viewer", "edit", "settings", "embed"]);

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
