/** A file on its way: how far it is, or why it is not; and the button that begins it. */
import { useRef } from "react";
import { amount, percent } from "../../logic/format";
import type { UploadView } from "../../logic/upload";
import { useActions, useStudio } from "../../state/session";
import { uploadKey } from "../../state/uploads";
import { Icon } from "../icons";
import { Bar, Button } from "../parts";

export const useUpload = (node: string): UploadView | null =>
  useStudio((s) => s.uploads[uploadKey(s.projectId, node)] ?? null);

export function UploadButton({ node }: { node: string }) {
  const { upload } = useActions();
  const input = useRef<HTMLInputElement>(null);
  const lost = useStudio((s) => s.lostSince !== null);
  return (
    <>
      <Button
        icon="upload"
        kind="quiet"
        className="em-upload-button"
        label="Upload a file from your computer"
        testid="upload"
        disabled={lost}
        onClick={() => input.current?.click()}
      />
      <input
        ref={input}
        className="em-file"
        type="file"
        tabIndex={-1}
        aria-label="A file from your computer"
        data-testid="upload-file"
        onClick={(e) => e.stopPropagation()}
        onChange={(e) => {
          const file = e.target.files?.[0];
          if (file) upload(node, file);
          e.target.value = ""; // the same file can be chosen again
        }}
      />
    </>
  );
}

export function UploadLine({ node, upload }: { node: string; upload: UploadView }) {
  const { cancelUpload, retryUpload } = useActions();
  const { name, size, sent, phase, message } = upload;
  if (phase === "failed") {
    return (
      <div className="em-upload" data-testid="upload-failed" role="alert">
        <p className="em-problem em-problem-error">
          <Icon name="alert" size={12} />
          <span className="em-grow">
            {name} was not uploaded. {message}{" "}
            <Button kind="link" testid="upload-retry" onClick={() => retryUpload(node)}>
              Try again
            </Button>{" "}
            <Button kind="link" testid="upload-cancel" onClick={() => cancelUpload(node)}>
              Give up
            </Button>
          </span>
        </p>
      </div>
    );
  }
  const share = size > 0 ? sent / size : 0;
  const much = amount({ done: sent, total: size, unit: "bytes" });
  const words = phase === "reading" ? `Reading ${name}` : name;
  return (
    <div className="em-upload" data-testid="upload-line">
      <div className="em-row">
        <span className="em-ellipsis em-grow" title={name}>
          {words}
        </span>
        <Button
          icon="cross"
          kind="quiet"
          label="Cancel the upload"
          testid="upload-cancel"
          onClick={() => cancelUpload(node)}
        />
      </div>
      <Bar label={`Upload of ${name}`} share={share} testid="upload-progress" />
      <div className="em-row em-muted">
        <span className="em-grow">{phase === "reading" ? "Checksum" : much}</span>
        {phase === "sending" && <span>{percent(share)}</span>}
      </div>
    </div>
  );
}
