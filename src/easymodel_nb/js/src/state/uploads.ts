/** The uploads of this page: each belongs to a dataset node of a project, and ends as its source. */
import { Upload } from "../logic/upload";
import type { Sync } from "./python-sync";
import type { State } from "./store";

export const uploadKey = (project: string, node: string) => `${project}/${node}`;

export interface Uploads {
  start: (node: string, file: File) => void;
  retry: (node: string) => void;
  cancel: (node: string) => void;
}

export function makeUploads(sync: Sync, arrived: (node: string, path: string) => void): Uploads {
  const { store, call } = sync;
  const running = new Map<string, Upload>();
  /** What arrived while another project was open waits for its own. */
  const waiting = new Map<string, string>();

  const show = (key: string, view: State["uploads"][string] | null) => {
    const { [key]: _, ...others } = store.getState().uploads;
    store.setState({ uploads: view ? { ...others, [key]: view } : others });
  };
  const forget = (key: string, done = false) => {
    if (!done) running.get(key)?.cancel();
    running.delete(key);
    waiting.delete(key);
    show(key, null);
  };
  const deliver = (state: State) => {
    for (const [key, path] of waiting) {
      const node = state.history.present.nodes.find(
        (n) => uploadKey(state.projectId, n.id) === key,
      );
      if (!node) continue;
      forget(key, true);
      arrived(node.id, path);
    }
  };
  async function run(key: string, upload: Upload): Promise<void> {
    show(key, upload.view);
    const path = await upload.run();
    if (path === null || running.get(key) !== upload) return;
    waiting.set(key, path);
    deliver(store.getState());
  }

  store.subscribe((state, before) => {
    if (state.history.present === before.history.present) return;
    if (waiting.size > 0) deliver(state);
    // Its node was removed: nobody waits for the file.
    const there = new Set(state.history.present.nodes.map((n) => uploadKey(state.projectId, n.id)));
    for (const key of Object.keys(state.uploads)) {
      if (key.startsWith(`${state.projectId}/`) && !there.has(key)) forget(key);
    }
  });

  const keyOf = (node: string) => uploadKey(store.getState().projectId, node);
  return {
    start(node, file) {
      const key = keyOf(node);
      running.get(key)?.cancel();
      const upload: Upload = new Upload(
        file,
        (method, params, buffers) => call(method, params, undefined, buffers),
        (view) => running.get(key) === upload && show(key, view),
      );
      running.set(key, upload);
      void run(key, upload);
    },
    retry(node) {
      const key = keyOf(node);
      const upload = running.get(key);
      if (upload) void run(key, upload);
    },
    cancel: (node) => forget(keyOf(node)),
  };
}
