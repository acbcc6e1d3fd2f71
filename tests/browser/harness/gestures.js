/**
 * Pans, zooms and drags with one event in each frame, and says when each frame began.
 * The events are made in the page, so that both canvases get the same ones at the same frames;
 * an input that comes from outside would be merged, delayed or doubled as the machine is busy.
 */
(() => {
  const SETTLE = 10;
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));

  const canvas = () =>
    [...document.querySelectorAll(".em-canvas")].find((e) => e.checkVisibility());
  const middle = (element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return { x: Math.round(left + width / 2), y: Math.round(top + height / 2) };
  };
  const mouse = (type, target, { x, y }) => {
    const buttons = type.endsWith("up") ? 0 : 1;
    const init = { bubbles: true, cancelable: true, view: window, button: 0, buttons };
    target.dispatchEvent(new MouseEvent(type, { ...init, clientX: x, clientY: y }));
  };
  /** A way there and back again, so that a gesture ends where it began. */
  const circle = (from, step, steps, radius) => {
    const angle = (2 * Math.PI * step) / steps;
    return {
      x: Math.round(from.x + radius * Math.sin(angle)),
      y: Math.round(from.y + (radius / 2) * (1 - Math.cos(angle))),
    };
  };

  async function held(target, from, steps, radius, to = from) {
    const times = [];
    mouse("mousedown", target, from);
    for (let step = 1; step <= steps; step++) {
      times.push(await frame());
      mouse("mousemove", window.document.documentElement, circle(from, step, steps, radius));
    }
    times.push(await frame());
    mouse("mousemove", window.document.documentElement, to);
    mouse("mouseup", window.document.documentElement, to);
    for (let rest = 0; rest < 3; rest++) times.push(await frame()); // what letting go costs
    return times;
  }

  /** A node, and the point of its head where it is taken. */
  const grip = (id) => {
    const node = canvas().querySelector(`.react-flow__node[data-id="${id}"]`);
    const { left, top } = node.getBoundingClientRect();
    return [node, { x: left + 60, y: top + 14 }];
  };

  const gestures = {
    pan: (steps) => held(canvas().querySelector(".react-flow__pane"), middle(canvas()), steps, 240),
    drag: (steps, id) => held(...grip(id), steps, 60),
    /** Drags a node and lets it go elsewhere, until the document that says so is saved. */
    async drop(steps, id) {
      const [node, from] = grip(id);
      const times = await held(node, from, steps, 60, { x: from.x + 40, y: from.y + 20 });
      const waits = () => document.querySelector('[data-saved="false"]') !== null;
      while (waits()) await frame();
      return times;
    },
    async zoom(steps) {
      const pane = canvas().querySelector(".react-flow__pane");
      const { x, y } = middle(canvas());
      const times = [];
      for (let step = 0; step < steps; step++) {
        times.push(await frame());
        // Out, in and back: through the zoom below which our nodes are drawn closed.
        const deltaY = [20, -20, -20, 20][Math.floor((4 * step) / steps)];
        const init = { bubbles: true, cancelable: true, ctrlKey: true, deltaY };
        pane.dispatchEvent(new WheelEvent("wheel", { ...init, clientX: x, clientY: y }));
      }
      for (let rest = 0; rest < 3; rest++) times.push(await frame());
      return times;
    },
  };

  window.gestures = {
    /** The milliseconds of each frame; a gesture ends where it began, but for a drop. */
    async run(name, steps, id) {
      for (let i = 0; i < SETTLE; i++) await frame();
      const times = await gestures[name](steps, id);
      return times.slice(1).map((time, i) => time - times[i]);
    },
  };
})();
