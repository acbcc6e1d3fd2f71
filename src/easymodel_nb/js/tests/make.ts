/** Documents, runs and problems for the tests. */
import type { Audit, Fit, Node, Problem, RunCard, SourceFacts, Workflow } from "../src/protocol";

export const node = (id: string, type: string, data: Node["data"] = {}): Node => ({
  id,
  type,
  label: null,
  position: { x: 0, y: 0 },
  data,
});

export function flow(nodes: Node[], edges: [string, string, string][] = []): Workflow {
  return {
    format: "easymodel.workflow",
    version: 1,
    name: "Test",
    nodes,
    edges: edges.map(([source, target, handle]) => ({
      id: `${source}-${target}-${handle}`,
      source,
      sourceHandle: handle,
      target,
      targetHandle: handle,
    })),
    viewport: { x: 0, y: 0, zoom: 1 },
  };
}

export const three = (): Workflow =>
  flow(
    [node("m", "model"), node("d", "dataset"), node("f", "finetune")],
    [
      ["m", "f", "model"],
      ["d", "f", "dataset"],
    ],
  );

export const problem = (part: Partial<Problem> = {}): Problem => ({
  code: "field.range",
  severity: "error",
  message: "Epochs must be at least 1, not 0.",
  node: "f",
  field: "epochs",
  fix: null,
  ...part,
});

export const run = (part: Partial<RunCard> = {}): RunCard => ({
  id: "r1",
  node_id: "f",
  status: "running",
  created: "2026-01-01T00:00:00.000Z",
  started: null,
  ended: null,
  stage: {
    stage: "training",
    message: "Training",
    done: null,
    total: null,
    unit: null,
    seconds_left: null,
  },
  fraction: null,
  step: 0,
  max_steps: 0,
  epoch: 0,
  epochs: 3,
  loss: null,
  tokens_per_second: null,
  seconds_left: null,
  memory_bytes: null,
  queue_position: null,
  spark: [],
  method: "full",
  resumable: null,
  resumed_from: null,
  summary: "",
  headline: null,
  reason: null,
  problem: null,
  warnings: [],
  model_path: null,
  ...part,
});

export const facts = (part: Partial<SourceFacts> = {}): SourceFacts => ({
  source: "data.csv",
  state: "ok",
  lines: [],
  columns: [],
  rows: [],
  total_rows: null,
  roles: {},
  reasons: {},
  candidates: {},
  guesses: [],
  splits: [],
  notes: [],
  tasks: [],
  problem: null,
  ...part,
});

export const measured = (part: Partial<Fit> = {}): Fit => ({
  seconds_per_step: 0.2,
  seconds: 50,
  memory_bytes: 6e8,
  free_bytes: 4e9,
  longest: 90,
  batch_size: 8,
  device: "CPU, 2 cores, 7.8 GB",
  time_why: "",
  memory_why: "",
  measured: "2026-01-01T00:00:00.000Z",
  problems: [],
  ...part,
});

export const audit = (part: Partial<Audit> = {}): Audit => ({
  state: "done",
  message: "",
  verdict: "green",
  cells: [],
  problems: [],
  rows: null,
  eval_rows: null,
  split_rows: null,
  dropped: {},
  duplicates: 0,
  overlap: 0,
  classes: {},
  accepted: [],
  examples_per_epoch: null,
  windowed: false,
  tokens: null,
  learned_tokens: null,
  learned_unit: "tokens",
  lengths: [],
  median_length: null,
  longest: null,
  max_length: null,
  positions: null,
  suggested_length: null,
  cut_rows: null,
  cut_share: null,
  cut_target_tokens: null,
  cut_target_share: null,
  empty_rows: null,
  examples: [],
  steps: null,
  steps_per_epoch: null,
  parameters: null,
  model_bytes: null,
  disk_bytes: null,
  disk_free: null,
  download_bytes: null,
  choices: [],
  fit: null,
  fit_state: "none",
  fit_problem: null,
  ...part,
});
