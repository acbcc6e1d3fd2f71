/** What is shown and how; none of it is in the document. */
import { next, type Preference } from "../../logic/theme";
import type { CodeFacts, WithdrawParams } from "../../protocol";
import { save } from "../browser";
import { clampHeight, type Notice, type Part, type Tab } from "../store";
import type { Desk } from "./desk";

export function lookingActions(desk: Desk) {
  const { sync, call, committer, get, set, notify, attempt, setOpen, setUnfolded } = desk;
  function setTheme(theme: Preference): void {
    const pending = (by: number) => get().themePending + by;
    set({ theme, themePending: pending(1) });
    // It holds in this page whether or not the kernel hears of it.
    call("settings", { theme })
      .catch(() => {})
      .finally(() => set({ themePending: pending(-1) }));
  }
  return {
    setTheme,
    cycleTheme: () => setTheme(next(get().theme)),
    /** The token leaves in this one message and is kept nowhere here. */
    sendToken: (token: string) => attempt(call("token", { token })),
    showTab(tab: Tab, run?: string) {
      set({ tab });
      if (run) void attempt(call("show_run", { run }));
    },
    setHeight(height: number) {
      const clamped = clampHeight(height);
      set({ height: clamped });
      save("height", { asked: get().traits.catalog.height, height: clamped });
    },
    setRail(rail: boolean) {
      set({ rail });
      save("rail", rail);
    },
    setOpen,
    setUnfolded,
    inspect(id: string | null, part?: Part) {
      const asked = (get().place?.asked ?? 0) + 1;
      set({ inspector: id, place: part ? { part, asked } : null });
      if (part === "advanced") set({ advanced: true });
    },
    setAdvanced: (advanced: boolean) => set({ advanced }),
    dismiss: () => set({ notice: null }),
    say: (text: string, tone?: Notice["tone"]) => notify(text, tone),
    /** Ask the Hub anew about what it refused or did not answer. */
    /** To just the files that were shown: other ones are refused. */
    allowCode: ({ repo, commit, digest }: CodeFacts) =>
      attempt(call("consent", { kind: "code", repo, commit, digest })),
    withdraw: (consent: WithdrawParams) => attempt(call("consent_withdraw", consent)),
    lookAgain: () => attempt(call("look_again", {})),
    retry() {
      sync.touch();
      void sync.pull();
      committer.retry();
    },
    touch: sync.touch,
  };
}
