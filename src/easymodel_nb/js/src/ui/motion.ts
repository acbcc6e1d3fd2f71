/** How long a movement takes: not at all for those who asked their system for less motion. */
export const glide = (ms = 200): number =>
  matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : ms;
