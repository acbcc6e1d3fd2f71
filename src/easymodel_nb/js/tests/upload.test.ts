import { describe, expect, it } from "vitest";
import { Failure } from "../src/logic/rpc";
import { type Call, HASHED_FIRST, PART, Upload, type UploadView } from "../src/logic/upload";

/** The browser's own digest, where it has one. */
async function sha(data: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  return Array.from(digest, (b) => b.toString(16).padStart(2, "0")).join("");
}
const refused = (code: string) =>
  new Failure({ code: "refused", message: `${code}.`, problems: [{ code } as never] });

/** A kernel that keeps what it is sent; `answer` may fail a call or see it. */
class Kernel {
  calls: string[] = [];
  bytes = new Uint8Array(0);
  digest: string | null | undefined;
  known: string | null = null;
  answer: (method: string, params: Record<string, unknown>) => void | Promise<void> = () => {};
  parts: number[] = [];

  call = (async (method: string, params: Record<string, unknown>, buffers?: ArrayBuffer[]) => {
    this.calls.push(method);
    await this.answer(method, params);
    if (method === "upload_begin") {
      this.digest = params.sha256 as string | null;
      this.bytes = new Uint8Array(params.size as number);
      return { id: "u", path: this.known };
    }
    if (method === "upload_chunk") {
      const part = new Uint8Array(buffers?.[0] ?? new ArrayBuffer(0));
      this.parts.push(part.length);
      this.bytes.set(part, params.offset as number);
      return { received: (params.offset as number) + part.length };
    }
    if (method === "upload_end") {
      if (params.sha256 !== (await sha(this.bytes))) throw refused("upload.damaged");
      return { path: "/home/uploads/a/data.csv" };
    }
    return {};
  }) as unknown as Call;
}

function begin(size: number, kernel = new Kernel()) {
  const content = Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 9)) % 251);
  const views: UploadView[] = [];
  const file = new File([content], "data.csv");
  const upload = new Upload(file, kernel.call, (v) => views.push(v));
  return { kernel, content, views, upload };
}

describe("an upload", () => {
  it("arrives whole, in parts of at most 1 MiB, with its digest", async () => {
    const { kernel, content, views, upload } = begin(3 * PART + 17);
    expect(await upload.run()).toBe("/home/uploads/a/data.csv");
    expect(await sha(kernel.bytes)).toBe(await sha(content));
    expect(kernel.digest).toBe(await sha(content));
    expect(Math.max(...kernel.parts)).toBe(PART);
    const sent = views.map((v) => v.sent);
    expect(sent).toEqual([...sent].sort((a, b) => a - b));
    expect(sent.at(-1)).toBe(content.length);
  });

  it("is not sent when the kernel has it already", async () => {
    const { kernel, upload } = begin(1000);
    kernel.known = "/there.csv";
    expect(await upload.run()).toBe("/there.csv");
    expect(kernel.calls).toEqual(["upload_begin"]);
  });

  it("sends a part again whose answer got lost", async () => {
    const { kernel, content, upload } = begin(PART);
    let silent = 2;
    kernel.answer = (method) => {
      if (method === "upload_chunk" && silent-- > 0)
        throw new Failure({ code: "timeout", message: "busy" });
    };
    expect(await upload.run()).not.toBeNull();
    expect(await sha(kernel.bytes)).toBe(await sha(content));
  });

  it("goes on where it was after a silence, and begins anew with another kernel", async () => {
    const { kernel, content, views, upload } = begin(PART);
    kernel.answer = (method, params) => {
      if (method === "upload_chunk" && (params.offset as number) > 0)
        throw new Failure({ code: "timeout", message: "The kernel is busy." });
    };
    expect(await upload.run()).toBeNull();
    expect(views.at(-1)).toMatchObject({ phase: "failed", message: "The kernel is busy." });
    const before = upload.view.sent;
    expect(before).toBeGreaterThan(0);
    const offsets: unknown[] = [];
    let gone = true;
    kernel.answer = (method, params) => {
      if (method === "upload_chunk") offsets.push(params.offset);
      if (method === "upload_chunk" && gone) throw refused("upload.unknown");
    };
    expect(await upload.run()).toBeNull();
    expect(offsets).toEqual([before]);
    gone = false;
    expect(await upload.run()).not.toBeNull();
    expect(offsets[1]).toBe(0);
    expect(await sha(kernel.bytes)).toBe(await sha(content));
    expect(kernel.calls.filter((c) => c === "upload_begin")).toHaveLength(2);
  });

  it("says a refusal in the kernel's words", async () => {
    const { kernel, views, upload } = begin(10);
    kernel.answer = () => {
      throw refused("upload.disk");
    };
    expect(await upload.run()).toBeNull();
    expect(views.at(-1)).toMatchObject({ phase: "failed", message: "upload.disk." });
  });

  it("says when the browser cannot read the file", async () => {
    const kernel = new Kernel();
    const broken = {
      name: "x",
      size: 4,
      slice: () => ({ arrayBuffer: () => Promise.reject(new Error("not found")) }),
    };
    const upload = new Upload(broken as unknown as File, kernel.call, () => {});
    expect(await upload.run()).toBeNull();
    expect(upload.view.message).toMatch(/could not read the file \(not found\)/);
  });

  it("ends when it is cancelled, and tells the kernel", async () => {
    const { kernel, views, upload } = begin(PART);
    kernel.answer = (method) => {
      if (method === "upload_chunk") upload.cancel();
    };
    expect(await upload.run()).toBeNull();
    expect(kernel.calls.at(-1)).toBe("upload_cancel");
    expect(views.every((v) => v.phase !== "failed")).toBe(true);
  });

  it("reads a large file once", async () => {
    const kernel = new Kernel();
    const reads: number[] = [];
    const size = HASHED_FIRST + 1;
    const zeros = {
      name: "big",
      size,
      slice: (a: number, b: number) => {
        reads.push(a);
        return { arrayBuffer: async () => new ArrayBuffer(Math.min(b, size) - a) };
      },
    };
    const upload = new Upload(zeros as unknown as File, kernel.call, () => {});
    expect(await upload.run()).not.toBeNull();
    expect(kernel.digest).toBeNull();
    expect(new Set(reads).size).toBe(reads.length);
  });
});
