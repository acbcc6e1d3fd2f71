import { describe, expect, it } from "vitest";
import { read, write } from "../src/logic/clipboard";
import { flow, three } from "./make";

const source = (type: string, source: string, revision: string | null = null) => ({
  source: { type, source, revision },
});

describe("nodes as text", () => {
  it("come back as they were", () => {
    const clip = read(`\n${write(three(), ["m", "f"])}\n`);
    const piece = clip && "piece" in clip ? clip.piece : null;
    expect(piece?.nodes).toEqual(three().nodes.filter((n) => n.id !== "d"));
    expect(piece?.edges).toEqual(three().edges);
    expect(JSON.parse(write(three(), ["m"]))).toMatchObject({
      format: "easymodel.workflow",
      version: 1,
    });
  });

  it.each([
    ["no JSON", "{"],
    ["another format", JSON.stringify({ nodes: [{ id: "a", type: "model" }] })],
    ["a newer version", JSON.stringify({ ...three(), version: 2 })],
    ["no nodes", JSON.stringify(flow([]))],
    ["nodes that are none", JSON.stringify({ ...three(), nodes: [1, null, { id: 3 }] })],
    ["a list", "[]"],
  ])("%s is not pasted", (_, text) => expect(read(text)).toBeNull());

  it("mends what is missing or of the wrong kind, and keeps what it does not know", () => {
    const nodes = [
      { id: "a", type: "model", position: { x: "1" }, data: [], label: 3, colour: "red" },
      { id: "a", type: "model" },
    ];
    const edges = [{ source: "a", target: "b" }, { source: 1, target: "b" }, null];
    expect(read(JSON.stringify({ ...three(), nodes, edges, viewport: 0 }))).toMatchObject({
      piece: {
        nodes: [{ id: "a", type: "model", label: null, position: { x: 0, y: 0 }, data: {} }],
        edges: [{ source: "a", sourceHandle: null, target: "b", targetHandle: null }],
        viewport: { zoom: 1 },
      },
    });
  });
});

describe("addresses", () => {
  it.each([
    ["https://huggingface.co/openai-community/gpt2", source("model", "openai-community/gpt2")],
    ["hf.co/google/flan-t5-small/", source("model", "google/flan-t5-small")],
    ["https://huggingface.co/gpt2?library=transformers", source("model", "gpt2")],
    ["https://huggingface.co/a/b/tree/v1.0", source("model", "a/b", "v1.0")],
    ["https://huggingface.co/a/b/tree/main", source("model", "a/b")],
    ["https://huggingface.co/a/b/tree/refs%2Fpr%2F3", source("model", "a/b", "refs/pr/3")],
    ["https://huggingface.co/a/b/blob/main/config.json", source("model", "a/b")],
    ["https://huggingface.co/datasets/rajpurkar/squad", source("dataset", "rajpurkar/squad")],
    ["https://huggingface.co/datasets/imdb/viewer/plain_text", source("dataset", "imdb")],
    [
      "https://huggingface.co/datasets/a/b/blob/main/data/train.csv",
      source("dataset", "https://huggingface.co/datasets/a/b/resolve/main/data/train.csv"),
    ],
    [
      "https://x.org/a/data.jsonl.gz?raw=1",
      source("dataset", "https://x.org/a/data.jsonl.gz?raw=1"),
    ],
  ])("%s", (text, clip) => expect(read(` ${text} `)).toEqual(clip));

  it.each([
    "",
    "hello",
    "https://example.org/page.html",
    "http://x.org/data.csv",
    "https://huggingface.co/",
    "https://huggingface.co/datasets",
    "https://huggingface.co/spaces/a/b",
    "https://huggingface.co/docs/transformers",
    "see https://huggingface.co/a/b",
    "javascript:alert(1)",
    "file:///etc/data.csv",
  ])("%j is a text like any other", (text) => expect(read(text)).toBeNull());
});
