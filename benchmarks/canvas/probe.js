/** What the benchmark reads of a canvas, ours or the bare one. */
(() => {
  const canvas = () =>
    [...document.querySelectorAll(".em-canvas")].find((e) => e.checkVisibility());

  window.probe = {
    /** What the bare canvas is to draw: each kind's elements, and where the studio put them. */
    snapshot() {
      const drawn = {};
      for (const node of canvas().querySelectorAll(".react-flow__node")) {
        const like = node.dataset.id.split("-")[0];
        drawn[like] ??= node.innerHTML;
      }
      return drawn;
    },
    place() {
      const { width, height, left, top } = canvas().getBoundingClientRect();
      const moved = getComputedStyle(canvas().querySelector(".react-flow__viewport")).transform;
      const { a: zoom, e: x, f: y } = new DOMMatrix(moved);
      return {
        width,
        height,
        left,
        top,
        theme: canvas().closest(".emnb").dataset.theme,
        viewport: { x, y, zoom },
      };
    },
    /** A node that is seen whole, in the middle. */
    target(like) {
      const box = canvas().getBoundingClientRect();
      const far = (node) => {
        const { left, top, right, bottom } = node.getBoundingClientRect();
        const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
        return Math.hypot((left + right) / 2 - x, (top + bottom) / 2 - y);
      };
      const nodes = [...canvas().querySelectorAll(`.react-flow__node[data-id^="${like}-"]`)];
      return nodes.sort((a, b) => far(a) - far(b))[0]?.dataset.id;
    },
    /** Resolves with the time of the first frame in which nodes are seen, where they stay. */
    painted() {
      return new Promise((resolve) => {
        let before = "";
        const look = () => {
          const nodes = [...(canvas()?.querySelectorAll(".react-flow__node") ?? [])];
          const seen = nodes.length > 0 && nodes.every((n) => n.style.visibility !== "hidden");
          const now = seen ? canvas().querySelector(".react-flow__viewport").style.transform : "";
          if (seen && now === before) return requestAnimationFrame((time) => resolve(time));
          before = now;
          requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      });
    },
    /** Milliseconds from the next key to the frame after a node moved was painted. */
    async moved(id) {
      const node = canvas().querySelector(`.react-flow__node[data-id="${id}"]`);
      const pressed = new Promise((resolve) =>
        window.addEventListener("keydown", (e) => e.key !== "Control" && resolve(e.timeStamp), {
          capture: true,
        }),
      );
      await new Promise((resolve) => {
        const seen = new MutationObserver(() => {
          seen.disconnect();
          resolve();
        });
        seen.observe(node, { attributes: true, attributeFilter: ["style"] });
      });
      const after = await painting();
      return after - (await pressed);
    },
    /** Types into two fields in turn, one edit a frame. */
    async edit(count) {
      const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
      const names = ["epochs", "batch_size"];
      for (let i = 0; i < count; i++) {
        const field = canvas().querySelector(`[data-testid="field-${names[i % 2]}"]`);
        const input = field.matches("input") ? field : field.querySelector("input");
        set.call(input, String(1 + (i % 97)));
        input.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    },
    /** Milliseconds from the click on a project to the frame with one of its nodes. */
    async switched(project, id) {
      const item = document.querySelector(
        `[data-testid="project-item"][data-project-id="${project}"]`,
      );
      const start = performance.now();
      item.click();
      const seen = () => {
        const node = canvas().querySelector(`.react-flow__node[data-id="${id}"]`);
        return node && node.style.visibility !== "hidden";
      };
      while (!seen()) await new Promise((resolve) => requestAnimationFrame(resolve));
      return (await painting()) - start;
    },
    /** Milliseconds from the click on Train to each new status of the node, as painted. */
    async trained() {
      const node = document.querySelector('[data-testid="node"][data-node-type="finetune"]');
      const times = {};
      const start = performance.now();
      node.querySelector('[data-testid="train"]').click();
      while (times.running === undefined) {
        const { status } = node.dataset;
        if (status !== "idle") times.first ??= (await painting()) - start;
        if (status !== "idle" && status !== "queued") times.running = (await painting()) - start;
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
      return times;
    },
  };

  /** The time at which what is drawn now is on the screen: after the next frame. */
  const painting = () =>
    new Promise((resolve) =>
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => resolve(performance.now());
        port2.postMessage(null);
      }),
    );
})();
