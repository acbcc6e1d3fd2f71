/**
 * Counts what is rendered on the canvas, in the bundle as it is shipped: Preact tells of each
 * component just before it renders (js/src/preact.ts). `renders.count(work)` resolves with the
 * number of renders by component, inside of nodes and outside of them.
 */
(() => {
  let counted = null;

  /** The canvas node a component is inside of: `__` is the parent of a vnode in Preact's build. */
  const nodeOf = (vnode) => {
    for (let above = vnode.__; above; above = above.__) {
      if (String(above.props?.className ?? "").split(" ").includes("react-flow__node"))
        return above.props["data-id"];
    }
    return null;
  };
  window.emnbRenders = (vnode) => {
    // A context's provider is a component in Preact and draws nothing.
    if (!counted || typeof vnode.type !== "function" || vnode.type.Provider) return;
    const node = nodeOf(vnode);
    const place = node ? counted.nodes : counted.outside;
    const key = node ?? (vnode.type.displayName || vnode.type.name || "?");
    place[key] = (place[key] ?? 0) + 1;
  };
  window.renders = {
    async count(work) {
      counted = { nodes: {}, outside: {} };
      try {
        await work();
        return counted;
      } finally {
        counted = null;
      }
    },
  };
})();
