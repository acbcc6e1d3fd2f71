/** Whatever lies over the canvas, one at a time. */
import { ContextMenu } from "./ContextMenu";
import type { Commands } from "./commands";
import { SearchAdd } from "./SearchAdd";
import { Shortcuts } from "./Shortcuts";
import { useViewState } from "./view";

export function Popups({ commands }: { commands: Commands }) {
  const popup = useViewState((s) => s.popup);
  if (popup?.kind === "menu") return <ContextMenu popup={popup} commands={commands} />;
  if (popup?.kind === "search") return <SearchAdd popup={popup} commands={commands} />;
  if (popup?.kind === "shortcuts") return <Shortcuts commands={commands} />;
  return null;
}
