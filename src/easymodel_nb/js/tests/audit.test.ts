import { describe, expect, it } from "vitest";
import * as gate from "../src/logic/audit";
import { chosen } from "../src/logic/plan";
import type { Audit } from "../src/protocol";
import { audit, measured, node, problem } from "./make";

const ask = problem({ code: "audit.cut", severity: "ask", message: "61 rows lose their end." });
const fixed = { label: "Set 64", set: [], command: null, params: null };
const refusal = (a: Audit | undefined, accept: string[]) =>
  gate.refusal(a, gate.verdict(a, accept), accept);
const headline = (a: Audit | undefined, accept: string[], device: string) =>
  gate.headline(a, gate.verdict(a, accept), device);
const time = { name: "time", text: "50 s", sign: "green", why: "" } as const;

describe("the verdict", () => {
  it("is nothing until the audit is done, and forbids nothing", () => {
    for (const state of ["none", "waiting", "checking", "unknown"] as const) {
      const early = audit({ state, verdict: null, problems: [problem()] });
      expect(gate.verdict(early, [])).toBeNull();
      expect(refusal(early, [])).toBeNull();
      expect(gate.warning(early, [])).toBeNull();
    }
    expect(refusal(undefined, [])).toBeNull();
  });
  it("is red for an error, whatever was accepted", () => {
    const red = audit({ verdict: "red", problems: [problem({ code: "audit.none" })] });
    expect(gate.verdict(red, ["audit.none"])).toBe("red");
    expect(refusal(red, ["audit.none"])).toContain("red");
  });
  it("is amber until every warning is accepted, without waiting for the kernel", () => {
    const other = { ...ask, code: "fit.memory" };
    const two = audit({ verdict: "amber", problems: [ask], fit: measured({ problems: [other] }) });
    expect(gate.verdict(two, [])).toBe("amber");
    expect(gate.verdict(two, ["audit.cut"])).toBe("amber");
    expect(gate.verdict(two, ["audit.cut", "fit.memory"])).toBe("green");
    expect(refusal(two, ["audit.cut", "fit.memory"])).toBeNull();
  });
  it("is amber again when what was accepted is taken back, though Python said green", () => {
    expect(gate.verdict(audit({ verdict: "green", problems: [ask] }), [])).toBe("amber");
  });
  it("names the fix only where there is one", () => {
    expect(refusal(audit({ problems: [ask] }), [])).toBe("Accept the warning above to train.");
    const mendable = audit({ problems: [{ ...ask, fix: fixed }] });
    expect(refusal(mendable, [])).toContain("or use its fix");
  });
});

it("is known elsewhere by what forbids, each once", () => {
  const bad = problem({ code: "file.empty", node: "d" });
  const early = audit({ state: "checking", problems: [bad] });
  const audits = { f: audit({ problems: [bad, ask] }), g: audit({ problems: [bad] }) };
  expect(gate.forbidden(audits)).toEqual([bad]);
  expect(gate.forbidden({ f: early })).toEqual([]);
});

describe("the line", () => {
  const note = problem({ code: "audit.small", severity: "note" });
  const red = problem({ code: "audit.none" });
  it("is what forbids, then what asks, then what was accepted; never a mere note", () => {
    const all = audit({ problems: [note, ask, red] });
    expect(gate.warning(all, [])?.code).toBe("audit.none");
    expect(gate.others(all, [])).toBe(1);
    const asks = audit({ problems: [note, ask, { ...ask, code: "b" }] });
    expect(gate.warning(asks, ["audit.cut"])?.code).toBe("b");
    expect(gate.warning(asks, ["audit.cut", "b"])?.code).toBe("audit.cut");
    expect(gate.others(asks, ["audit.cut", "b"])).toBe(0);
    expect(gate.warning(audit({ problems: [note] }), [])).toBeNull();
  });
  it("announces a large download when nothing else is to be said", () => {
    const download = { ...note, code: "download.model" };
    expect(gate.warning(audit({ problems: [note, download] }), [])).toEqual(download);
    expect(gate.warning(audit({ problems: [download, ask] }), [])).toEqual(ask);
    expect(gate.verdict(audit({ problems: [download] }), [])).toBe("green");
  });
  it("has room for the first sentence", () => {
    const long = "61 of 1,000 rows (6.1 %) would be cut. With 64 tokens at most 1 % would be.";
    expect(gate.brief(long)).toBe("61 of 1,000 rows (6.1 %) would be cut.");
    expect(gate.brief("Out. Of 15.0 GB only 1.2 are free.")).toBe(
      "Out. Of 15.0 GB only 1.2 are free.",
    );
  });
  it("tells why a fit check failed when nothing else is to be said", () => {
    const failed = audit({ fit_state: "failed", fit_problem: problem({ code: "fit.failed" }) });
    expect(gate.warning(failed, [])?.code).toBe("fit.failed");
    expect(gate.verdict(failed, [])).toBe("green");
  });
});

describe("words", () => {
  it("say ready, with the time once it was measured and the steps before", () => {
    expect(headline(audit({ steps: 375 }), [], "CPU")).toEqual(["Ready.", "375 steps"]);
    expect(headline(audit({ cells: [time], fit: measured() }), [], "")).toEqual([
      "Ready.",
      "About 50 s on this CPU",
    ]);
    const tesla = audit({ cells: [time], fit: measured({ device: "Tesla T4, 15.0 GB" }) });
    expect(headline(tesla, [], "")[1]).toBe("About 50 s on this Tesla T4");
  });
  it("say why there is no verdict", () => {
    expect(headline(undefined, [], "")[1]).toBe("It needs a model and a dataset.");
    const unknown = audit({ state: "unknown", message: "No network." });
    expect(headline(unknown, [], "")).toEqual(["Not checked.", expect.any(String)]);
  });
  it("say that something is wrong before the audit, which waits for it", () => {
    expect(gate.headline(undefined, "red", "")[0]).toBe("Cannot start.");
    expect(gate.refusal(undefined, "red", [])).not.toBeNull();
  });
  it("fit a narrow cell", () => {
    expect(["50 s", "5 min 17 s", "2 h 05 min", "0.6 GB"].map(gate.narrow)).toEqual([
      "50 s",
      "5 min",
      "2.1 h",
      "0.6 GB",
    ]);
  });
  it("offer a check where no time and memory are known", () => {
    expect(gate.measuring(audit(), "time")).toBe("check");
    expect(gate.measuring(audit({ fit_state: "failed" }), "memory")).toBe("check");
    expect(gate.measuring(audit({ fit_state: "waiting" }), "time")).toBe("waiting");
    expect(gate.measuring(audit({ fit_state: "done", cells: [time] }), "time")).toBeNull();
    expect(gate.measuring(audit(), "rows")).toBeNull();
    expect(gate.measuring(audit({ state: "checking" }), "time")).toBeNull();
  });
});

it("keeps what is accepted as a list of codes", () => {
  expect(gate.accepted(node("f", "finetune"))).toEqual([]);
  expect(gate.accepted(node("f", "finetune", { accept: "odd" }))).toEqual([]);
  expect(gate.toggled(["a"], "b")).toEqual(["a", "b"]);
  expect(gate.toggled(["a", "b"], "a")).toEqual(["b"]);
});

it("says in a field what auto came to", () => {
  const rate = { name: "learning_rate", label: "Rate", kind: "number", nullable: true } as const;
  const made = [{ field: "learning_rate", value: 5e-5, reason: "usual for full" }];
  expect(chosen(rate, made)).toMatchObject({
    empty: "auto: 0.00005",
    help: "auto: usual for full.",
  });
  const off = chosen({ ...rate, name: "c", kind: "switch" }, [{ field: "c", value: false }]);
  expect(off.empty).toBe("auto: off");
  expect(chosen(rate, [])).toBe(rate);
});
