/** Keeps a dependency's stylesheet from reaching the rest of the notebook page. */
import { readFileSync } from "node:fs";

/**
 * An esbuild plugin that nests every rule of a stylesheet from node_modules under `scope`.
 * Keyframes cannot be nested and stay at the top; their names are React Flow's own.
 */
export function scoped(scope) {
  return {
    name: "scoped-css",
    setup(build) {
      build.onLoad({ filter: /node_modules.*\.css$/ }, ({ path }) => {
        const source = readFileSync(path, "utf8").replace(/^@charset[^;]*;/, "");
        const keyframes = [];
        const rules = source.replace(/@keyframes[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g, (found) => {
          keyframes.push(found);
          return "";
        });
        return { contents: `${keyframes.join("\n")}\n${scope} {\n${rules}\n}`, loader: "css" };
      });
    },
  };
}
