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

// A component that renders by itself leaves its former element with the children it had then. Where
// something keeps that element (the `children` of what is around it), they keep the ones after them:
// a memoized row and its successor share one array of children, whose elements name their parents,
// and so on through everything ever drawn. Nothing looks at the former children once the new ones
// are in place (renderComponent in preact/src/component.js), so they are let go of there.
type Drawn = VNode & { __c?: { __v?: Drawn } | null; __k?: unknown[] | null };
const formers = new WeakMap<Drawn, Drawn>();
const made = options.vnode;
options.vnode = (vnode: Drawn) => {
  const former = vnode.__c?.__v;
  if (former) formers.set(vnode, former);
  made?.(vnode);
};
const drawn = options.diffed;
options.diffed = (vnode: Drawn) => {
  drawn?.(vnode);
  const former = formers.get(vnode);
  if (!former) return;
  former.__k = [];
  formers.delete(vnode); // or each would keep the one before it
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
