/** Leaves out of two dependencies what the workbench never uses and a bundler cannot drop. */
import { readFileSync } from "node:fs";

/**
 * React Flow: its components are made by calls to `memo` and named by assignments, which
 * count as side effects, so Controls, NodeResizer and the toolbars would all come along.
 * Their names are for debugging only.
 */
const pureComponents = (source) =>
  source
    .replace(/^(\w+)\.displayName = (['"]).*?\2;$/gm, "")
    .replace(/^((?:const|var) [\w$]+ = )(memo|forwardRef)\(/gm, "$1/* @__PURE__ */ $2(");

/**
 * d3-color: React Flow animates the viewport's transform and no colour, but d3-transition
 * and d3-interpolate know colours. Nothing is one here, so strings are interpolated as such.
 */
const noColours = () =>
  `export function color() { return null; }
${["rgb", "hsl", "lab", "hcl", "lch", "gray", "cubehelix"].map((name) => `export const ${name} = color;`).join("\n")}`;

/** An esbuild plugin that reads those two modules in their slim form. */
export const slim = {
  name: "slim",
  setup(build) {
    const read = (filter, change) =>
      build.onLoad({ filter }, ({ path }) => ({
        contents: change(readFileSync(path, "utf8")),
        loader: "js",
      }));
    read(/node_modules[\\/]@xyflow[\\/]react[\\/].*index\.m?js$/, pureComponents);
    read(/node_modules[\\/]d3-color[\\/].*\.m?js$/, noColours);
  },
};
