/**
 * A file on its way to the kernel: part by part, each answered before the next is sent.
 *
 * A part whose answer got lost is sent again, which does no harm, and a failed upload goes
 * on where it was as long as the kernel knows it. The digest comes from a library because
 * the browser's own is missing on plain http and takes no file in parts.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Methods } from "../protocol";
import { Failure, type Method } from "./rpc";

export const PART = 1 << 20;
const SMALLEST = 1 << 16;
const SLOW_MS = 2_000;
const TRIES = 4;
/** Larger files are not read twice: their digest is known at the end alone. */
export const HASHED_FIRST = 64 * PART;

export interface UploadView {
  name: string;
  size: number;
  sent: number;
  phase: "reading" | "sending" | "failed";
  /** Why it failed. */
  message: string | null;
}

export type Call = <M extends Method>(
  method: M,
  params: Methods[M]["params"],
  buffers?: ArrayBuffer[],
) => Promise<Methods[M]["result"]>;

class Cancelled extends Error {}

export class Upload {
  readonly #file: File;
  readonly #call: Call;
  readonly #changed: (view: UploadView) => void;
  readonly #now: () => number;
  #view: UploadView;
  #id: string | null = null;
  #digest: string | null = null;
  #sentHash = sha256.create();
  #part = SMALLEST * 4;
  #cancelled = false;

  constructor(file: File, call: Call, changed: (view: UploadView) => void, now = Date.now) {
    this.#file = file;
    this.#call = call;
    this.#changed = changed;
    this.#now = now;
    this.#view = { name: file.name, size: file.size, sent: 0, phase: "reading", message: null };
  }

  get view(): UploadView {
    return this.#view;
  }

  /** The path in the kernel's home; null when it failed, which the view says, or was cancelled. */
  async run(): Promise<string | null> {
    this.#show({ phase: this.#id ? "sending" : "reading", message: null });
    try {
      return await this.#whole();
    } catch (error) {
      if (error instanceof Cancelled || this.#cancelled) return null;
      if (isUnknown(error)) this.#id = null;
      this.#show({ phase: "failed", message: why(error) });
      return null;
    }
  }

  cancel(): void {
    this.#cancelled = true;
    if (this.#id) this.#call("upload_cancel", { id: this.#id }).catch(() => {});
  }

  async #whole(): Promise<string> {
    const { name, size } = this.#file;
    if (this.#id === null) {
      if (size <= HASHED_FIRST && this.#digest === null) this.#digest = await this.#hash();
      const begun = await this.#patient("upload_begin", { name, size, sha256: this.#digest });
      if (begun.path !== null) return begun.path;
      this.#id = begun.id;
      this.#sentHash = sha256.create();
      this.#show({ phase: "sending", sent: 0 });
    }
    const id = this.#id;
    while (this.#view.sent < size) {
      const offset = this.#view.sent;
      const data = await this.#read(offset, this.#part);
      const started = this.#now();
      const { received } = await this.#patient("upload_chunk", { id, offset }, [data]);
      const slow = this.#now() - started > SLOW_MS;
      this.#part = Math.min(PART, Math.max(SMALLEST, slow ? this.#part / 2 : this.#part * 2));
      if (received !== offset + data.byteLength) throw new Error("it changed while it was read");
      this.#sentHash.update(new Uint8Array(data));
      this.#show({ sent: received });
    }
    const digest = bytesToHex(this.#sentHash.clone().digest());
    const { path } = await this.#patient("upload_end", { id, sha256: digest });
    return path;
  }

  async #hash(): Promise<string> {
    const hash = sha256.create();
    for (let at = 0; at < this.#file.size; at += PART) {
      hash.update(new Uint8Array(await this.#read(at)));
    }
    return bytesToHex(hash.digest());
  }

  async #read(at: number, length = PART): Promise<ArrayBuffer> {
    if (this.#cancelled) throw new Cancelled();
    return this.#file.slice(at, at + length).arrayBuffer();
  }

  /** A kernel that runs a cell answers late: silence alone ends nothing at once. */
  async #patient<M extends Method>(
    method: M,
    params: Methods[M]["params"],
    buffers?: ArrayBuffer[],
  ): Promise<Methods[M]["result"]> {
    for (let left = TRIES; ; left -= 1) {
      try {
        const result = await this.#call(method, params, buffers);
        if (this.#cancelled) throw new Cancelled();
        return result;
      } catch (error) {
        const silent = error instanceof Failure && error.code === "timeout";
        if (!silent || left <= 1 || this.#cancelled) throw error;
      }
    }
  }

  #show(part: Partial<UploadView>): void {
    this.#view = { ...this.#view, ...part };
    if (!this.#cancelled) this.#changed(this.#view);
  }
}

const isUnknown = (error: unknown) =>
  error instanceof Failure && error.problems.some((p) => p.code.startsWith("upload."));

function why(error: unknown): string {
  if (error instanceof Failure) return error.message;
  // The browser's own words are about the file: it was moved, changed or may not be read.
  const said = error instanceof Error ? error.message : String(error);
  return `The browser could not read the file (${said}). Choose it again.`;
}
