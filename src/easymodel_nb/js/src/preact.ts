/**
 * The workbench is written for React and drawn by Preact's compatibility layer (scripts/build.mjs).
 *
 * In SVG the names of attributes are case-sensitive: `tabIndex`, as React Flow writes it on an
 * edge, means nothing there, and the edge could not take the focus.
 */
import { options, type VNode } from "preact";

const before = options.vnode;
options.vnode = (vnode: VNode) => {
  const props = vnode.props as Record<string, unknown>;
  if (vnode.type === "g" && props.tabIndex !== undefined) {
    props.tabindex = props.tabIndex;
    delete props.tabIndex;
  }
  before?.(vnode);
};
