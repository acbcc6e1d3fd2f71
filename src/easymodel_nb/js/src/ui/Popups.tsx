/** Whatever lies over the canvas, one at a time. */
import { ContextMenu } from "./ContextMenu";
import type { Commands } from "./commands";
import { Refusal } from "./Refusal";
import { SearchAdd } from "./SearchAdd";
import { Shortcuts } from "./Shortcuts";
import { useViewState } from "./view";

export function Popups({ commands }: { commands: Commands }) {
  const popup = useViewState((s) => s.popup);
  if (popup === null) return <Refusal />;
  if (popup.kind === "menu") return <ContextMenu popup={popup} commands={commands} />;
  if (popup.kind === "search") return <SearchAdd popup={popup} commands={commands} />;
  return <Shortcuts commands={commands} />;
}
