/** Why a connection was not made, where it was let go, until the next press or key. */
import { useEffect } from "react";
import { useView, useViewState } from "./view";

const WIDTH = 240;
const EDGE = 8;

export function Refusal() {
  const refusal = useViewState((s) => s.refusal);
  const { el, store } = useView();
  useEffect(() => {
    if (!refusal) return;
    const gone = () => store.setState({ refusal: null });
    window.addEventListener("pointerdown", gone, true);
    window.addEventListener("keydown", gone, true);
    return () => {
      window.removeEventListener("pointerdown", gone, true);
      window.removeEventListener("keydown", gone, true);
    };
  }, [refusal, store]);
  const room = el.querySelector(".em-canvas")?.getBoundingClientRect();
  if (!refusal || !room) return <div role="status" className="em-hidden" />;
  const left = Math.max(EDGE, Math.min(refusal.at.x - room.left, room.width - WIDTH - EDGE));
  const top = Math.min(refusal.at.y - room.top + 2 * EDGE, room.height - 5 * EDGE);
  return (
    <div
      role="status"
      className="em-popup em-refusal"
      data-testid="refusal"
      style={{ left, top, maxWidth: WIDTH }}
    >
      {refusal.text}
    </div>
  );
}
