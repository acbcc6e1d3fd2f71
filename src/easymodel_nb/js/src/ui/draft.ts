/** A text that stays as typed while it means the same as what is kept. */
import { useState } from "react";

/** `meaning` is how the kept value would be written after this text. */
export function useDraft(kept: string, meaning: (text: string) => string) {
  const [draft, setDraft] = useState<string | null>(null);
  const known = draft !== null && (meaning(draft) === kept || meaning(draft) === "");
  return {
    text: known ? draft : kept,
    type: setDraft,
    setNothing: () => setDraft(null),
  };
}
