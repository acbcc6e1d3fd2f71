/**
 * The workbench is written for React and drawn by Preact's compatibility layer (scripts/build.mjs).
 * Where the two differ and it matters here, Preact is told to do as React does.
 */
import { options, type VNode } from "preact";

// React runs the effects of a key or a click before the next one comes; Preact after the next
// frame, and React Flow hands nodes on in an effect: a key pressed at once would miss a selection.
options.requestAnimationFrame = (flush: () => void) => queueMicrotask(flush);

// In SVG the names of attributes are case-sensitive: `tabIndex`, as React Flow writes it on an
// edge, means nothing there, and the edge could not take the focus.
const before = options.vnode;
options.vnode = (vnode: VNode) => {
  const props = vnode.props as Record<string, unknown>;
  if (vnode.type === "g" && props.tabIndex !== undefined) {
    props.tabindex = props.tabIndex;
    delete props.tabIndex;
  }
  before?.(vnode);
};

// The tests and the benchmarks count what a gesture renders, in the bundle as it is shipped: a
// page that defines this before the studio opens is told of each component, just before it renders.
const { emnbRenders } = window as Window & { emnbRenders?: (vnode: VNode) => void };
if (emnbRenders) {
  const hooks = options as typeof options & { __r?: (vnode: VNode) => void };
  const inner = hooks.__r;
  hooks.__r = (vnode) => {
    emnbRenders(vnode);
    inner?.(vnode);
  };
}
