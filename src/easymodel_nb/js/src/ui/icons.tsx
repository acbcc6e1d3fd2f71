/** Icons on a 24 grid, 1.75 stroke, in the colour of the text around them. */
import type { ReactNode, SVGProps } from "react";

/** Data and no elements: Preact ties an element to where it was first drawn, for good. */
const PATHS = {
  model: "M12 3 20 7.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9",
  dataset:
    "M4 6c0-1.7 3.6-3 8-3s8 1.3 8 3-3.6 3-8 3-8-1.3-8-3zm0 0v12c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3",
  finetune:
    "M3 8h9m6 0h3M3 16h3m6 0h9M15 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM9 13a3 3 0 1 1 0 6 3 3 0 0 1 0-6z",
  note: "M5 4h14v11l-5 5H5zM14 20v-5h5M8.5 8.5h7M8.5 12h4",
  unknown:
    "M9.2 9a2.9 2.9 0 1 1 4.3 2.6c-1 .6-1.5 1.2-1.5 2.4M12 17.6v.1M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z",
  canvas: "M4 5h6v5H4zM14 14h6v5h-6zM10 7.5h4.5a2 2 0 0 1 2 2V14",
  analytics: "M4 4v16h16M7.5 14.5l4-5 3.5 3 5-6.5",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  check: "m5 12.5 4.5 4.5L19 7.5",
  cross: "M6 6l12 12M18 6 6 18",
  down: "m6 9.5 6 6 6-6",
  up: "m6 14.5 6-6 6 6",
  right: "m9.5 6 6 6-6 6",
  left: "m14.5 6-6 6 6 6",
  dots: [{ d: "M5.5 12h.01M12 12h.01M18.5 12h.01", strokeWidth: "3.2" }],
  undo: "M8 5 4 9l4 4M4 9h10a5.5 5.5 0 0 1 0 11h-3",
  redo: "m16 5 4 4-4 4M20 9H10a5.5 5.5 0 0 0 0 11h3",
  fit: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  layout: "M3 5h6v5H3zM3 15h6v5H3zM16 10h5v5h-5zM9 7.5h3.5v10H9M12.5 12.5H16",
  play: [{ d: "M8 5.5v13l10.5-6.5z", fill: "currentColor" }],
  stop: [{ d: "M7 7h10v10H7z", fill: "currentColor" }],
  warn: "M12 4 21 20H3zM12 10v4.5M12 17.2v.1",
  alert: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM12 7.5v5.5M12 16.2v.1",
  clock: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM12 7v5.5l3.5 2",
  key: "M16 4.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM12.7 12.3 4.5 20.5M7.5 17.5 10 20",
  chip: "M7 7h10v10H7zM10 3.5V7M14 3.5V7M10 17v3.5M14 17v3.5M3.5 10H7M3.5 14H7M17 10h3.5M17 14h3.5",
  rail: "M4 5h16v14H4zM9.5 5v14",
  full: "M14 4h6v6M20 4l-6.5 6.5M10 20H4v-6M4 20l6.5-6.5",
  auto: [
    { d: "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16z" },
    { d: "M12 4a8 8 0 0 0 0 16z", fill: "currentColor" },
  ],
  light:
    "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  dark: "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z",
  plug: "m4 20 4-4M16 8l4-4M8 12l4 4-2 2a3 3 0 0 1-4 0 3 3 0 0 1 0-4zM16 12l-4-4 2-2a3 3 0 0 1 4 0 3 3 0 0 1 0 4zM4 4l16 16",
  cloud: "M7 18a4.5 4.5 0 0 1-.6-8.95 6 6 0 0 1 11.6 1.2A3.9 3.9 0 0 1 17.5 18z",
  upload: "M12 16V4M7 9l5-5 5 5M4 16v4h16v-4",
  download: "M12 4v12M7 11l5 5 5-5M4 16v4h16v-4",
  template: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM16.5 13v7M13 16.5h7",
  trash: "M4.5 7h15M9.5 7V4h5v3M6.5 7l1 13h9l1-13",
  copy: "M9 9h11v11H9zM15 9V4H4v11h5",
  cut: "M7 4.5 16 17M17 4.5 8 17M6.5 15.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM17.5 15.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z",
  info: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM12 11v5.5M12 7.7v.1",
  pen: "m5 15-1 5 5-1L19.5 8.5l-4-4zM13 7l4 4",
  code: "m8 7-5 5 5 5M16 7l5 5-5 5",
  outline: "M4 6h.01M4 12h.01M4 18h.01M8.5 6H20M8.5 12H20M8.5 18H20",
  open: "M4 6h16M4 12h16M4 18h10",
  search: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5 20.5 20.5",
  keyboard: "M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M18 10h.01M8 14.5h8",
  grid: "M4 9.3h16M4 14.7h16M9.3 4v16M14.7 4v16",
  select: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M12 4h.01M12 20h.01M4 12h.01M20 12h.01",
  link: "M6 4a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM18 15a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM8.5 6.5H12v11h3.5",
  paste: "M9 5H6v15h12V5h-3M9 3.5h6v3.5H9z",
  duplicate: "M9 9h11v11H9zM15 9V4H4v11h5M14.5 12v5M12 14.5h5",
  alignLeft: "M4 3v18M8 6h12v4H8zM8 14h7v4H8z",
  alignCenter: "M12 3v3M12 10v4M12 18v3M5 6h14v4H5zM8 14h8v4H8z",
  alignRight: "M20 3v18M4 6h12v4H4zM9 14h7v4H9z",
  alignTop: "M3 4h18M6 8h4v12H6zM14 8h4v7h-4z",
  alignMiddle: "M3 12h3M10 12h4M18 12h3M6 5h4v14H6zM14 8h4v8h-4z",
  alignBottom: "M3 20h18M6 4h4v12H6zM14 9h4v7h-4z",
  across: "M3 4v16M21 4v16M9.5 7h5v10h-5z",
  downwards: "M4 3h16M4 21h16M7 9.5h10v5H7z",
};

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }): ReactNode {
  const paths: string | SVGProps<SVGPathElement>[] = PATHS[name];
  return (
    <svg
      className="em-icon"
      width={size}
      height={size}
      style={{ height: size }} // classic Notebook gives pictures in outputs a height of their own
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {typeof paths === "string" ? (
        <path d={paths} />
      ) : (
        paths.map((path) => <path key={path.d} {...path} />)
      )}
    </svg>
  );
}

export function Logo() {
  return (
    <svg className="em-logo" width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
      <path className="em-logo-model" d="M4 5h5.5A2.5 2.5 0 0 1 12 7.5V10" />
      <path className="em-logo-dataset" d="M4 15h3" />
      <path className="em-logo-run" d="M12 10v2.5a2.5 2.5 0 0 0 2.5 2.5H16" />
      <circle className="em-logo-dot-model" cx="3.4" cy="5" r="2.2" />
      <rect className="em-logo-dot-dataset" x="1.2" y="12.8" width="4.4" height="4.4" rx="1" />
      <circle className="em-logo-dot-run" cx="16.8" cy="15" r="2.2" />
    </svg>
  );
}

/** A ring that is full to `value` (0 to 1). */
export function Ring({ value, size = 14 }: { value: number; size?: number }) {
  const r = size / 2 - 1.25;
  const around = 2 * Math.PI * r;
  return (
    <svg
      className="em-ring"
      width={size}
      height={size}
      viewBox={`0 0 ${size} ${size}`}
      aria-hidden="true"
    >
      <circle className="em-ring-track" cx={size / 2} cy={size / 2} r={r} />
      <circle
        className="em-ring-arc"
        cx={size / 2}
        cy={size / 2}
        r={r}
        strokeDasharray={`${around * value} ${around}`}
        transform={`rotate(-90 ${size / 2} ${size / 2})`}
      />
    </svg>
  );
}
