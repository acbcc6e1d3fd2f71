import { describe, expect, it } from "vitest";
import {
  auto,
  columnOf,
  instead,
  marks,
  NO_TARGET,
  roleFields,
  roleLabel,
  setRole,
  target,
  unused,
  way,
} from "../src/logic/roles";
import { facts, node } from "./make";

const AUTO = { prompt_field: "question", target_field: "answer" };
const ft = (data: Record<string, unknown> = {}) => node("f", "finetune", data);
const names = (data: Record<string, unknown>, roles = {}) =>
  roleFields(ft(data), roles).map((r) => r.name);

describe("the sixth and seventh field", () => {
  it.each([
    [{}, {}, ["text_field", "target_field"]],
    [{}, AUTO, ["prompt_field", "target_field"]],
    [{ target_field: "a" }, {}, ["prompt_field", "target_field"]],
    [{ text_field: "t" }, AUTO, ["text_field", "target_field"]],
    [{ task: "seq2seq" }, {}, ["prompt_field", "target_field"]],
    [{ task: "classification" }, {}, ["text_field", "label_field"]],
    [{ task: "token_classification" }, {}, ["text_field", "label_field"]],
  ])("%j with %j", (data, roles, wanted) => {
    expect(names(data, roles)).toEqual(wanted);
  });

  it("names what null would choose", () => {
    const [first, second] = roleFields(ft(), AUTO);
    expect([first.auto, second.auto]).toEqual(["question", "answer"]);
    expect(roleFields(ft({ text_field: "t" }), AUTO)[1]).toMatchObject({ auto: null, none: true });
    expect(target(ft({ template: "{a}" }), AUTO)).toBeNull();
  });
});

describe("setting a role", () => {
  it("moves the text to the prompt when a target is set, and back when it is cleared", () => {
    const set = setRole(ft({ text_field: "t" }), "target_field", "a", {});
    expect(set).toEqual({ target_field: "a", prompt_field: "t", text_field: null });
    const cleared = setRole(ft({ prompt_field: "t", target_field: "a" }), "target_field", null, {});
    expect(cleared).toEqual({ target_field: null, text_field: "t", prompt_field: null });
  });

  it("writes the automatic target down with a chosen prompt", () => {
    expect(setRole(ft(), "prompt_field", "p", AUTO)).toEqual({
      prompt_field: "p",
      target_field: "answer",
    });
    const chosen = ft({ target_field: "x" });
    expect(setRole(chosen, "prompt_field", "p", AUTO)).toEqual({ prompt_field: "p" });
  });

  it("learns the text alone on request", () => {
    const alone = { target_field: null, prompt_field: null, text_field: "question" };
    expect(setRole(ft(), "target_field", NO_TARGET, AUTO)).toEqual(alone);
  });

  it("moves nothing for other tasks", () => {
    const data = { task: "seq2seq", prompt_field: "p", target_field: "t" };
    expect(setRole(ft(data), "target_field", null, {})).toEqual({ target_field: null });
  });
});

describe("each task's roles", () => {
  it.each([
    ["generation", "Text field", "Target field"],
    ["classification", "Text field", "Label field"],
    ["seq2seq", "Source field", "Target field"],
    ["token_classification", "Words field", "Tags field"],
  ])("%s: %s and %s", (task, first, second) => {
    expect(roleFields(ft({ task }), {}).map((r) => r.label)).toEqual([first, second]);
  });

  it("have labels of their own in the inspector too", () => {
    expect(roleLabel(ft({ task: "seq2seq" }), "prompt_field")).toBe("Source field");
    expect(roleLabel(ft({ task: "classification" }), "text_pair_field")).toBe("Text pair field");
    expect(roleLabel(ft({ task: "juggling" }), "messages_field")).toBe("Messages field");
    expect(roleLabel(ft({ task: "classification" }), "prompt_field")).toBeNull();
  });
});

describe("the ways generation learns", () => {
  it.each([
    [{}, {}, null],
    [{}, { messages_field: "turns" }, "messages"],
    [{}, AUTO, "pair"],
    [{}, { text_field: "t" }, "text"],
    [{ template: "{a}" }, AUTO, "template"],
    [{ messages_field: "m" }, AUTO, "messages"],
    [{ text_field: "t" }, AUTO, "text"],
  ])("%j with %j is %j", (data, roles, wanted) => {
    expect(way(ft(data), roles)).toBe(wanted);
  });

  it("leave the fields of the other ways unused", () => {
    const chat = ft({ messages_field: "m" });
    expect(unused(chat, "prompt_field", AUTO)).toBe(true);
    expect(unused(chat, "messages_field", AUTO)).toBe(false);
    expect(unused(ft({ template: "{a}" }), "target_field", {})).toBe(false);
    expect(unused(ft(), "text_field", {})).toBe(false);
    expect(unused(ft({ task: "classification" }), "text_field", AUTO)).toBe(false);
    expect(roleFields(chat, AUTO).map((r) => r.none)).toEqual([true, true]);
    expect(instead(chat, "text_field", AUTO)).toBe("chats in m");
    expect(instead(ft(), "text_field", { messages_field: "turns" })).toBe("chats in turns");
    expect(instead(ft({ template: "{a}" }), "text_field", {})).toBe("as the template says");
    expect(instead(ft(), "target_field", { text_field: "t" })).toBe("not used");
  });

  it("exclude each other in one step", () => {
    const pair = ft({ prompt_field: "p", target_field: "t" });
    expect(setRole(pair, "messages_field", "m", {})).toEqual({
      messages_field: "m",
      prompt_field: null,
      target_field: null,
    });
    expect(setRole(pair, "template", "{p}", {})).toEqual({ template: "{p}", prompt_field: null });
    expect(setRole(ft({ messages_field: "m" }), "target_field", "t", {})).toEqual({
      target_field: "t",
      messages_field: null,
    });
    expect(setRole(ft({ template: "{a}" }), "text_field", "x", {})).toEqual({
      text_field: "x",
      template: null,
    });
    expect(setRole(ft({ template: "{a}" }), "template", null, {})).toEqual({ template: null });
  });
});

describe("a template that null means", () => {
  const built = { template: "{question} of {context?}", target_field: "answer" };

  it("is told in the field of the text that it builds", () => {
    for (const task of ["generation", "seq2seq"]) {
      const [first, second] = roleFields(ft({ task }), built);
      expect(first).toMatchObject({ name: "prompt_field", auto: "question + context" });
      expect(first.none).toBeUndefined();
      expect(second.auto).toBe("answer");
    }
  });

  it("ends when a prompt is chosen, and a chosen one leaves the prompt out", () => {
    const chosen = ft({ task: "seq2seq", template: "{a}" });
    expect(roleFields(chosen, built)[0]).toMatchObject({ auto: null, none: true });
    expect(instead(chosen, "prompt_field", built)).toBe("as the template says");
    expect(setRole(chosen, "prompt_field", "p", built)).toEqual({
      prompt_field: "p",
      template: null,
    });
    const prompt = ft({ task: "seq2seq", prompt_field: "p" });
    expect(setRole(prompt, "template", "{a}", {})).toEqual({ template: "{a}", prompt_field: null });
    expect(auto(prompt, "label_field", built)).toBeNull();
  });

  it("marks the columns it is made of", () => {
    const known = facts({ columns: ["id", "question", "context", "answer"], roles: built });
    expect([...marks(ft({ task: "seq2seq" }), known)]).toEqual([
      ["question", ["source"]],
      ["context", ["source"]],
      ["answer", ["target"]],
    ]);
  });
});

describe("the marks on the columns", () => {
  const columns = ["answers", "answers.text", "id", "question", "label"];

  it("find the column a path begins at", () => {
    expect(columnOf("answers.text[0]", columns)).toBe("answers.text");
    expect(columnOf("answers[0]", columns)).toBe("answers");
    expect(columnOf("question", columns)).toBe("question");
    expect(columnOf("questions", columns)).toBeNull();
  });

  it("name what is chosen, else what null means, by the task", () => {
    const known = facts({
      columns,
      roles: { prompt_field: "question", target_field: "answers.text[0]" },
    });
    expect([...marks(ft(), known)]).toEqual([
      ["question", ["prompt"]],
      ["answers.text", ["target [0]"]],
    ]);
    const labelled = marks(ft({ task: "classification", label_field: "label" }), known);
    expect([...labelled]).toEqual([["label", ["label"]]]);
    const built = marks(ft({ template: "{question} {id}", target_field: "label" }), known);
    expect([...built.keys()].sort()).toEqual(["id", "label", "question"]);
    expect(marks(null, known).get("question")).toEqual(["prompt"]);
  });
});
