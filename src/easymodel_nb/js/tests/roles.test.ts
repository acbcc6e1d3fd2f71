import { describe, expect, it } from "vitest";
import { NO_TARGET, roleFields, setRole, target } from "../src/logic/roles";
import { node } from "./make";

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
