/**
 * Counts what React renders on the canvas, in the bundle as it is shipped: React tells the hook of
 * its developer tools about each commit. `renders.count(work)` resolves with the number of renders
 * by component, inside of nodes and outside of them.
 */
(() => {
  const [FUNCTION, CLASS, HOST, FORWARD, MEMO, SIMPLE_MEMO] = [0, 1, 5, 11, 14, 15];
  const COMPONENTS = new Set([FUNCTION, CLASS, FORWARD, MEMO, SIMPLE_MEMO]);
  const PERFORMED_WORK = 1;
  let counted = null;

  const nameOf = ({ type }) => {
    const inner = type?.type ?? type?.render ?? type;
    return inner?.displayName ?? inner?.name ?? "?";
  };
  /** Only what differs from the tree before is walked: the rest was not looked at by React. */
  function walk(fiber, before, node) {
    if (fiber.tag === HOST && fiber.stateNode?.classList?.contains("react-flow__node"))
      node = fiber.stateNode.dataset.id;
    if (COMPONENTS.has(fiber.tag) && fiber.flags & PERFORMED_WORK) {
      const place = node ? counted.nodes : counted.outside;
      const key = node ?? nameOf(fiber);
      place[key] = (place[key] ?? 0) + 1;
    }
    if (fiber.child === before?.child) return;
    for (let child = fiber.child; child; child = child.sibling) walk(child, child.alternate, node);
  }
  window.__REACT_DEVTOOLS_GLOBAL_HOOK__ = {
    supportsFiber: true,
    isDisabled: false,
    renderers: new Map(),
    inject: () => 1,
    checkDCE() {},
    onCommitFiberUnmount() {},
    onPostCommitFiberRoot() {},
    onCommitFiberRoot(_, root) {
      if (!counted || !root.containerInfo.closest?.(".emnb-host")) return;
      counted.commits += 1;
      walk(root.current, root.current.alternate, null);
    },
  };
  window.renders = {
    async count(work) {
      counted = { commits: 0, nodes: {}, outside: {} };
      try {
        await work();
        return counted;
      } finally {
        counted = null;
      }
    },
  };
})();
