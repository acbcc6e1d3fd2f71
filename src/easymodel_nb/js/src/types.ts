/** The parts of anywidget's interface that are used, in any version from 0.9.21 on. */
import type { Traits } from "./protocol";

export interface Model {
  get<K extends keyof Traits>(name: K): Traits[K];
  on(event: string, callback: (...args: unknown[]) => void): void;
  off(event?: string | null, callback?: ((...args: unknown[]) => void) | null): void;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
}

export interface InitializeContext {
  model: Model;
  signal?: AbortSignal;
}

export interface RenderContext extends InitializeContext {
  el: HTMLElement;
}
