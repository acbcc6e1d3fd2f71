/**
 * Bundles src/index.ts and src/styles/index.css into ../widgets/static, with the
 * licences of everything that went in. `--watch` rebuilds on change.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { notices } from "./notices.mjs";
import { scoped } from "./scoped.mjs";
import { slim } from "./slim.mjs";

const root = join(import.meta.dirname, "..");
const outdir = process.env.EASYMODEL_NB_STATIC ?? join(root, "../widgets/static");

/** @type {esbuild.BuildOptions} */
const options = {
  absWorkingDir: root,
  entryPoints: [
    { in: "src/index.ts", out: "workbench" },
    { in: "src/styles/index.css", out: "workbench" },
  ],
  outdir,
  bundle: true,
  format: "esm",
  minify: true,
  target: ["es2022", "chrome105", "firefox105", "safari15"],
  jsx: "automatic",
  charset: "utf8",
  legalComments: "none", // they are in THIRD_PARTY_NOTICES.txt
  metafile: true,
  write: false,
  logLevel: "warning",
  // Classic Notebook has require.js on the page; UMD parts must not register there.
  define: { "define.amd": "false", "process.env.NODE_ENV": '"production"' },
  // Preact draws what is written for React, in a fraction of its size (see src/preact.ts).
  alias: {
    react: "preact/compat",
    "react-dom": "preact/compat",
    "react-dom/client": "preact/compat/client",
    "react/jsx-runtime": "preact/compat/jsx-runtime",
  },
  plugins: [scoped(".emnb"), slim, { name: "emit", setup: (build) => build.onEnd(emit) }],
};

/** @param {esbuild.BuildResult} result */
function emit(result) {
  if (result.errors.length > 0 || !result.outputFiles || !result.metafile) return;
  mkdirSync(outdir, { recursive: true });
  for (const file of result.outputFiles) {
    writeFileSync(file.path, file.contents);
    const [raw, packed] = [file.contents.length, gzipSync(file.contents, { level: 9 }).length];
    console.log(
      `${basename(file.path)}: ${(raw / 1024).toFixed(1)} KB, ${(packed / 1024).toFixed(1)} KB gzip`,
    );
  }
  writeFileSync(join(outdir, "THIRD_PARTY_NOTICES.txt"), notices(root, result.metafile));
}

if (process.argv.includes("--watch")) {
  const context = await esbuild.context(options);
  await context.watch();
} else {
  await esbuild.build(options);
}
