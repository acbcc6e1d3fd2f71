/** A model on its way out: its jobs, a zip that comes in parts, and the look before a push. */

import type { Job, PushPlanResult, RunCard } from "../protocol";
import { again } from "./again";
import type { Rpc } from "./rpc";

export type Call = Rpc["call"];
export interface Wanted {
  run: string;
  repo: string;
  private: boolean;
  merged: boolean;
}

/** A larger zip does not come through the kernel's messages. */
export const BY_PARTS = 200e6;

export const jobOf = (jobs: Job[], run: string, kind: Job["kind"]): Job | undefined =>
  jobs.find((j) => j.run === run && j.kind === kind);

export const isOpen = (job: Job | undefined): boolean =>
  job?.state === "waiting" || job?.state === "working";

/** Why the model of this run stays here; null when it may be sent. */
export function whyNotSent(run: RunCard): string | null {
  if (run.status === "finished") return null;
  const how = { stopped: "was stopped", failed: "has failed", interrupted: "was interrupted" };
  const what = how[run.status as keyof typeof how] ?? "has not finished";
  return `Only the model of a finished run is sent to the Hub; this one ${what}.`;
}

/** The zip of a finished job as the browser keeps it; `heard` gets the bytes that are here. */
export async function fetchZip(
  call: Call,
  job: Job,
  heard: (bytes: number) => void,
): Promise<Blob> {
  const parts: BlobPart[] = [];
  for (let offset = 0, total = job.total ?? 0; offset < total; ) {
    const answer = await call("download_part", { job: job.id, offset });
    const part = (answer as { buffer?: DataView<ArrayBuffer> }).buffer;
    if (!part?.byteLength) throw new Error("The zip came without its bytes. Copy its path.");
    parts.push(part);
    offset += part.byteLength;
    total = answer.total;
    heard(offset);
  }
  return new Blob(parts, { type: "application/zip" });
}

/** What a push would send; the kernel asks the Hub meanwhile. */
export const look = (
  call: Call,
  wanted: Wanted,
  wait?: (ms: number) => Promise<void>,
): Promise<PushPlanResult> =>
  again(
    () => call("push_plan", wanted),
    (plan) => plan.checking,
    wait,
  );

export const fileName = (path: string): string => path.split(/[\\/]/).pop() ?? path;
