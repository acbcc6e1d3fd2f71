/**
 * What a test of the studio's reach asks of the page: every text with the colours it is seen in,
 * and what has the focus and how one can tell.
 */
(() => {
  const parse = (css) => {
    const srgb = css.match(/^color\(srgb ([^)]+)\)$/);
    if (srgb) {
      const [r, g, b, a = 1] = srgb[1].split(/[\s/]+/).map(Number);
      return [r * 255, g * 255, b * 255, a];
    }
    const numbers = css.match(/^rgba?\(([^)]+)\)$/);
    if (!numbers) return null;
    const [r, g, b, a = 1] = numbers[1].split(/[\s,/]+/).map(Number);
    return [r, g, b, a];
  };
  const over = ([r, g, b, a], [R, G, B]) => [
    r * a + R * (1 - a),
    g * a + G * (1 - a),
    b * a + B * (1 - a),
    1,
  ];
  const luminance = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((v) => {
      const c = v / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };

  /** Everything that is painted at a point, the lowest first, and the stack of what is there. */
  function ground(x, y, element) {
    const stack = document.elementsFromPoint(x, y);
    const at = stack.findIndex((e) => e === element || element.contains(e));
    if (at < 0) return null; // covered, or scrolled away
    const covered = stack.slice(0, at).some((e) => !e.contains(element) && paints(e));
    if (covered) return null;
    let colour = [255, 255, 255, 1];
    for (const e of stack.slice(at).reverse()) {
      const own = fillOf(e);
      if (own && own[3] > 0) colour = over([...own.slice(0, 3), own[3] * opacity(e)], colour);
    }
    return colour;
  }
  const paints = (e) => (fillOf(e)?.[3] ?? 0) > 0.5;
  function fillOf(e) {
    const style = getComputedStyle(e);
    if (e instanceof SVGElement && !(e instanceof SVGSVGElement)) {
      const filled = e instanceof SVGRectElement || e instanceof SVGPathElement;
      const own = filled && style.fill !== "none" ? parse(style.fill) : null;
      return own && [...own.slice(0, 3), own[3] * Number(style.fillOpacity)];
    }
    return parse(style.backgroundColor);
  }
  function opacity(e) {
    let all = 1;
    for (let at = e; at; at = at.parentElement) all *= Number(getComputedStyle(at).opacity);
    return all;
  }

  /** The texts of an element, with the colour of each and the box it stands in. */
  function* texts(root) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const e = node.parentElement;
      if (!node.data.trim() || !e || e.closest("script, style, title, noscript, option")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const style = getComputedStyle(e);
      const svg = e instanceof SVGElement;
      for (const box of [...range.getClientRects()].slice(0, 1))
        yield { text: node.data.trim(), e, box, colour: parse(svg ? style.fill : style.color) };
    }
    for (const e of root.querySelectorAll("input, textarea, select")) {
      if (/^(checkbox|radio|file|range)$/.test(e.type)) continue;
      const hint = !e.value && e.placeholder;
      const text = e.value || e.placeholder;
      const colour = parse(getComputedStyle(e, hint ? "::placeholder" : null).color);
      const at = e.getBoundingClientRect();
      const box = new DOMRect(at.left + 8, at.top + 4, Math.min(24, at.width - 16), at.height - 8);
      if (text) yield { text, e, box, colour };
    }
  }

  /** Texts below a ratio, as [text, colour, ground, ratio, classes]. */
  function pale(root, least) {
    const found = [];
    let seen = 0;
    for (const { text, e, box, colour } of texts(root)) {
      if (!colour || box.width < 2 || box.height < 2 || !e.checkVisibility()) continue;
      if (getComputedStyle(e).visibility === "hidden") continue;
      const [x, y] = [box.left + Math.min(6, box.width / 2), box.top + box.height / 2];
      const behind = ground(x, y, e);
      if (!behind) continue;
      seen += 1;
      const seenAs = over([...colour.slice(0, 3), colour[3] * opacity(e)], behind);
      const value = ratio(seenAs, behind);
      if (value < least)
        found.push([text.slice(0, 40), seenAs, behind, value.toFixed(2), String(e.className)]);
    }
    return { seen, found };
  }

  const REGIONS = ["em-sidebar", "em-toolbar", "em-outline", "em-canvas", "em-inspector", "em-grip"];
  const PART = new RegExp(`\\b(${REGIONS.join("|")})\\b`);

  /** What has the focus: what it is called, where it is, and whether one sees it. */
  function focused() {
    const e = document.activeElement;
    if (!e || e === document.body) return null;
    const box = e.getBoundingClientRect();
    const style = getComputedStyle(e);
    const drawn = (s) =>
      (s.outlineStyle !== "none" && Number.parseFloat(s.outlineWidth) >= 1) ||
      s.boxShadow !== "none";
    const edge = e.querySelector?.(".em-edge");
    return {
      tag: e.tagName,
      hook: e.dataset?.testid ?? null,
      id: e.dataset?.nodeId ?? e.dataset?.id ?? null,
      classes: String(e.className?.baseVal ?? e.className),
      name:
        e.getAttribute("aria-label") ??
        ([e.labels?.[0], e].find((part) => part?.textContent.trim())?.textContent.trim() || ""),
      seen: drawn(style) || (edge !== null && edge !== undefined),
      inside: box.width > 0 && box.height > 0,
      region: e.closest(REGIONS.map((r) => `.${r}`).join(","))?.className.match(PART)?.[0] ?? null,
      studio: e.closest('[data-testid="em-studio"]') !== null,
      x: box.left,
      y: box.top,
    };
  }
  window.emnbReach = { pale, focused, ratio };
})();
