/** What a typed source may mean, asked of Python as one types; only for what stands there now. */
import { useEffect, useState } from "react";
import type { SuggestResult } from "../../protocol";
import { useSession } from "../../state/session";

const PAUSE_MS = 250;
const AGAIN_MS = 300;
const LONGEST = 500;
const WAITING: SuggestResult = { items: [], checking: true, offline: null };
const NOTHING: SuggestResult = { items: [], checking: false, offline: null };

/** `query` null asks nothing. */
export function useSuggestions(
  kind: "model" | "dataset",
  query: string | null,
  task: string | null,
): SuggestResult {
  const { call } = useSession();
  const text = query?.trim().slice(0, LONGEST) ?? null;
  const key = JSON.stringify([kind, text, task]);
  const [told, setTold] = useState({ key: "", result: NOTHING });
  useEffect(() => {
    if (text === null) return;
    let wanted = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      const result = await call("suggest", { kind, text, task }).catch(() => NOTHING);
      if (!wanted) return;
      setTold({ key, result });
      if (result.checking) timer = setTimeout(ask, AGAIN_MS);
    };
    timer = setTimeout(ask, text === "" ? 0 : PAUSE_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [call, key, kind, text, task]);
  if (text === null) return NOTHING;
  return told.key === key ? told.result : WAITING;
}
