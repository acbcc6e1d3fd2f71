/** The node as code in plain transformers: a file to download, or text to copy. */
import { useState } from "react";
import { copy } from "../../state/browser";
import { useActions, useStudio } from "../../state/session";
import { Button } from "../parts";
import { Section } from "./Section";

export function Code({ node }: { node: string }) {
  const { exportNode, say } = useActions();
  const lost = useStudio((s) => s.lostSince !== null);
  const exported = useStudio((s) => (s.exported?.node === node ? s.exported : null));
  const [copied, setCopied] = useState("");
  return (
    <Section title="As code">
      <p className="em-muted">
        Plain code with transformers, peft and datasets; it runs without EasyModel.
      </p>
      <div className="em-row">
        {(["script", "notebook"] as const).map((to) => (
          <Button
            key={to}
            className="em-grow"
            testid={`export-${to}`}
            disabled={lost}
            onClick={() => void exportNode(node, to)}
          >
            {`Export as ${to}`}
          </Button>
        ))}
      </div>
      {exported && (
        <>
          <div className="em-row">
            <span className="em-grow em-ellipsis em-muted" data-testid="exported">
              {exported.name}
            </span>
            <Button
              icon="copy"
              kind="quiet"
              testid="export-copy"
              onClick={async () => {
                if (await copy(exported.text)) setCopied(exported.text);
                else say("The browser does not give access to the clipboard; select the text.");
              }}
            >
              {copied === exported.text ? "Copied" : "Copy"}
            </Button>
          </div>
          <pre className="em-trace nowheel">{exported.text}</pre>
        </>
      )}
    </Section>
  );
}
