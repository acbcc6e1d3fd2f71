/** The licence texts of the packages whose code is in the bundle. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The package folders (relative to `root`) that contributed to the bundle. */
function packages(metafile) {
  const found = new Set();
  for (const path of Object.keys(metafile.inputs)) {
    const match = path.match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//);
    if (match) found.add(match[1]);
  }
  return [...found].sort();
}

/** One text with name, version and licence of each bundled package. */
export function notices(root, metafile) {
  const parts = packages(metafile).map((folder) => {
    const at = join(root, folder);
    const { name, version, license } = JSON.parse(readFileSync(join(at, "package.json"), "utf8"));
    const files = readdirSync(at).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
    if (files.length === 0 && !license) throw new Error(`${name} names no licence`);
    const text = files.map((file) => readFileSync(join(at, file), "utf8").trim()).join("\n\n");
    return `${name} ${version} (${license})\n\n${text || `Licence: ${license}`}`;
  });
  const head = "The EasyModel-nb workbench contains code from these packages.";
  return `${[head, ...parts].join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
}
