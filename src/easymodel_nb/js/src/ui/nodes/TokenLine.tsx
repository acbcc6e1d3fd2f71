/**
 * Where the Hub token comes from, and a way to type one.
 *
 * A typed token leaves the input in one message and is forgotten here at once: it is
 * in no state, and the input is not controlled.
 */
import { useEffect, useRef, useState } from "react";
import type { Catalog } from "../../protocol";
import { useActions, useStudio } from "../../state/session";
import { Icon } from "../icons";
import { Button } from "../parts";

const ORIGINS: Record<Catalog["token_origin"], string> = {
  typed: "typed, this session",
  colab: "from Colab secrets",
  login: "from hf auth login",
  environment: "from the environment",
  none: "none set",
};

export function TokenLine() {
  const origin = useStudio((s) => s.traits.catalog.token_origin);
  const lost = useStudio((s) => s.lostSince !== null);
  const { sendToken } = useActions();
  const [editing, setEditing] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (editing) input.current?.focus({ preventScroll: true });
  }, [editing]);
  const finish = (send: boolean) => {
    const field = input.current;
    const token = field?.value.trim() ?? "";
    if (field) field.value = "";
    setEditing(false);
    if (send && (token || origin === "typed")) void sendToken(token);
  };
  return (
    <div className="em-token nodrag nokey" data-testid="token" data-origin={origin}>
      <Icon name="key" size={14} />
      {editing ? (
        <>
          <input
            ref={input}
            className="em-input"
            type="password"
            name="emnb-hub-access"
            autoComplete="off"
            data-1p-ignore="true"
            data-lpignore="true"
            aria-label="Hugging Face token"
            data-testid="token-input"
            placeholder={origin === "typed" ? "hf_… (empty forgets it)" : "hf_…"}
            onKeyDown={(e) => {
              if (e.key === "Enter") finish(true);
              if (e.key === "Escape") finish(false);
            }}
          />
          <Button testid="token-save" onClick={() => finish(true)}>
            Use
          </Button>
          <Button icon="cross" kind="quiet" label="Cancel" onClick={() => finish(false)} />
        </>
      ) : (
        <>
          <span className="em-ellipsis em-grow">Hugging Face token: {ORIGINS[origin]}</span>
          <Button
            kind="link"
            testid="token-change"
            disabled={lost}
            onClick={() => setEditing(true)}
          >
            Change
          </Button>
        </>
      )}
    </div>
  );
}
