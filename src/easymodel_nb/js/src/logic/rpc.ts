/** Commands to the kernel: a promise for each message id, and a time limit of our own. */
import type { ErrorReply, Methods, Problem } from "../protocol";

export type Method = keyof Methods;
export interface Request {
  id: string;
  method: Method;
  params: unknown;
}
interface Pending {
  resolve: (result: never) => void;
  reject: (failure: Failure) => void;
  timer: ReturnType<typeof setTimeout>;
}

export const LIMIT_MS = 30_000;

/** A command that was refused, failed, or was not answered; the message is for the user. */
export class Failure extends Error {
  readonly code: string;
  readonly problems: Problem[];
  readonly data: Record<string, unknown>;

  constructor(error: Pick<ErrorReply, "code" | "message"> & Partial<ErrorReply>) {
    super(error.message);
    this.code = error.code;
    this.problems = error.problems ?? [];
    this.data = error.data ?? {};
  }
}

export class Rpc {
  readonly #send: (request: Request, buffers: ArrayBuffer[]) => void;
  readonly #pending = new Map<string, Pending>();
  readonly #prefix = Math.random().toString(36).slice(2, 8);
  #count = 0;

  constructor(send: (request: Request, buffers: ArrayBuffer[]) => void) {
    this.#send = send;
  }

  call<M extends Method>(
    method: M,
    params: Methods[M]["params"],
    limit = LIMIT_MS,
    buffers: ArrayBuffer[] = [],
  ): Promise<Methods[M]["result"]> {
    this.#count += 1;
    const id = `${this.#prefix}-${this.#count}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(id, silence(limit)), limit);
      this.#pending.set(id, { resolve, reject, timer });
      try {
        this.#send({ id, method, params }, buffers);
      } catch {
        this.#fail(id, {
          code: "disconnected",
          message: "The connection to the kernel is gone. Run the cell again to go on.",
        });
      }
    });
  }

  /** Takes a custom message; answers whether it was a reply of ours. Its bytes are its `buffer`. */
  receive(message: unknown, buffers: DataView[] = []): boolean {
    const reply = message as { id?: unknown; ok?: unknown; result?: unknown; error?: ErrorReply };
    const waiting = typeof reply?.id === "string" ? this.#pending.get(reply.id) : undefined;
    if (!waiting || typeof reply.id !== "string") return false;
    if (reply.ok) {
      this.#settle(reply.id);
      const [buffer] = buffers;
      const result = reply.result as object;
      waiting.resolve((buffer ? { ...result, buffer } : result) as never);
    } else {
      const unknown = { code: "internal", message: "The kernel refused without giving a reason." };
      this.#fail(reply.id, reply.error ?? unknown);
    }
    return true;
  }

  dispose(): void {
    for (const id of [...this.#pending.keys()]) {
      this.#fail(id, { code: "closed", message: "The studio was closed." });
    }
  }

  #settle(id: string): Pending | undefined {
    const waiting = this.#pending.get(id);
    if (waiting) clearTimeout(waiting.timer);
    this.#pending.delete(id);
    return waiting;
  }

  #fail(id: string, error: ConstructorParameters<typeof Failure>[0]): void {
    this.#settle(id)?.reject(new Failure(error));
  }
}

function silence(limit: number) {
  return {
    code: "timeout",
    message:
      `The kernel is busy; it has not answered for ${Math.round(limit / 1000)} s. ` +
      "A running cell may be the reason: try again when it is done.",
  };
}
