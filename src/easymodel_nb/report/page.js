"use strict";
(() => {
  const root = document.documentElement;
  const styles = JSON.parse(document.getElementById("em-styles").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  root.classList.add("rp-live");

  const names = ["auto", "light", "dark"];
  const switcher = document.getElementById("em-theme");
  const show = (name) => {
    if (name === "auto") delete root.dataset.theme;
    else root.dataset.theme = name;
    switcher.textContent = "Theme: " + name;
  };
  let theme = root.dataset.theme || "auto";
  show(theme);
  switcher.addEventListener("click", () => show((theme = names[(names.indexOf(theme) + 1) % 3])));
  const shade = () => (theme === "auto" ? (dark.matches ? "dark" : "light") : theme);

  const save = (blob, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const drawing = (svg) => {
    const copy = svg.cloneNode(true);
    const box = svg.viewBox.baseVal;
    const ns = "http://www.w3.org/2000/svg";
    const ground = document.createElementNS(ns, "rect");
    for (const [k, v] of Object.entries({ width: box.width, height: box.height, class: "f-surface" })) ground.setAttribute(k, v);
    const style = document.createElementNS(ns, "style");
    style.textContent = styles[shade()];
    const after = copy.querySelector("desc") || copy.querySelector("title");
    after.after(style, ground);
    return new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
  };
  const picture = async (svg, name) => {
    const url = URL.createObjectURL(drawing(svg));
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = svg.viewBox.baseVal.width * 2;
    canvas.height = svg.viewBox.baseVal.height * 2;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(url);
    canvas.toBlob((blob) => save(blob, name + ".png"), "image/png");
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-save]");
    if (!button) return;
    const panel = button.closest(".rp-panel");
    [...panel.querySelectorAll("svg.em-svg")].forEach((svg, index) => {
      const name = button.dataset.name + (index ? "-" + (index + 1) : "");
      if (button.dataset.save === "svg") save(drawing(svg), name + ".svg");
      else picture(svg, name);
    });
  });

  document.querySelectorAll(".rp-samples").forEach((table) => {
    const body = table.tBodies[0];
    let last = "index", up = true;
    table.addEventListener("click", (event) => {
      const button = event.target.closest(".rp-sort");
      if (!button) return;
      const key = button.dataset.key;
      up = key === last ? !up : key === "index" || key === "right";
      last = key;
      const of = (row) => (row.dataset[key] === undefined ? NaN : Number(row.dataset[key]));
      const rows = [...body.rows].sort((a, b) => {
        const x = of(a), y = of(b);
        if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
        return up ? x - y : y - x;
      });
      body.append(...rows);
      table.querySelectorAll(".rp-sort").forEach((b) => b.setAttribute("aria-pressed", b === button));
      table.querySelectorAll("th").forEach((th) => th.removeAttribute("aria-sort"));
      button.closest("th").setAttribute("aria-sort", up ? "ascending" : "descending");
    });
  });

  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
})();
