/** The view's port rules for Python's tests: a line of JSON in, a line of JSON out. */
import { createInterface } from "node:readline";
import { connect } from "../src/logic/graph";
import { type Link, refusal, replaced } from "../src/logic/ports";
import type { Edge, Workflow } from "../src/protocol";

/** Whether the view would have let this edge be made, with all others there. */
function allowed(doc: Workflow, edge: Edge): boolean {
  const others = { ...doc, edges: doc.edges.filter((e) => e !== edge) };
  return refusal(others, edge) === null && replaced(others, edge).length === 0;
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const { document, links } = JSON.parse(line) as { document: Workflow; links: Link[] };
  let doc = document;
  const steps = links.map((link) => {
    const refused = refusal(doc, link);
    const before = doc;
    doc = connect(doc, link);
    return { refused, before, after: doc };
  });
  const valid = document.edges.every((e) => allowed(document, e));
  process.stdout.write(`${JSON.stringify({ valid, steps })}\n`);
});
