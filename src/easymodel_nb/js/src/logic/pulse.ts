/**
 * When to ask the kernel for news, and when to say that it does not answer.
 *
 * Pushes drive everywhere but in Colab, where messages from a thread may not arrive;
 * there the view pulls at 2 Hz. Elsewhere a pull is the safety net. Nobody pulls for
 * an idle, untouched page: a hub must be able to cull it.
 */
export const COLAB_PULL_MS = 500;
export const SILENCE_MS = 3_000;
export const RETRY_MS = 5_000;
export const LOST_MS = 10_000;
export const TOUCHED_MS = 60_000;

export interface Pulse {
  now: number;
  colab: boolean;
  visible: boolean;
  /** A run is queued or under way. */
  active: boolean;
  touchedAt: number;
  /** Anything came from the kernel. */
  heardAt: number;
  pulledAt: number;
  /** The first message sent since anything was heard, or null. */
  waitingSince: number | null;
}

export interface Verdict {
  pull: boolean;
  lost: boolean;
}

export function decide(p: Pulse): Verdict {
  const waited = p.waitingSince === null ? 0 : p.now - p.waitingSince;
  const lost = waited >= LOST_MS;
  const watched = p.visible && (p.active || p.now - p.touchedAt < TOUCHED_MS);
  if (!watched) return { pull: false, lost };
  const sincePull = p.now - p.pulledAt;
  const unanswered = p.waitingSince !== null && p.pulledAt >= p.waitingSince;
  if (unanswered) return { pull: sincePull >= RETRY_MS, lost };
  const beat = p.colab && p.active ? COLAB_PULL_MS : SILENCE_MS;
  const silent = p.colab && p.active ? sincePull : Math.min(p.now - p.heardAt, sincePull);
  // Timers fire a few milliseconds early or late; a tick of tolerance keeps the rhythm.
  return { pull: silent >= beat - 50, lost };
}
