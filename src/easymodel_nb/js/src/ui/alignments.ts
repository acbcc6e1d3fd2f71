/** The ways to line nodes up, for the bar over a selection and for the menu. */
import type { Alignment } from "../logic/edits";
import type { IconName } from "./icons";

export const ALIGNMENTS: readonly { how: Alignment; label: string; icon: IconName }[] = [
  { how: "left", label: "Align left", icon: "alignLeft" },
  { how: "center", label: "Align centres", icon: "alignCenter" },
  { how: "right", label: "Align right", icon: "alignRight" },
  { how: "top", label: "Align top", icon: "alignTop" },
  { how: "middle", label: "Align middles", icon: "alignMiddle" },
  { how: "bottom", label: "Align bottom", icon: "alignBottom" },
  { how: "across", label: "Equal gaps across", icon: "across" },
  { how: "down", label: "Equal gaps down", icon: "downwards" },
];
