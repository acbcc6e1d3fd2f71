/** Numbers and times as the interface writes them. */
import type { StageView } from "../protocol";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

export function count(n: number): string {
  return Math.round(n).toLocaleString("en-US");
}

/** 24.61 -> "24.6", 2.481 -> "2.481": a loss keeps three decimals while it is small. */
export function loss(value: number): string {
  if (!Number.isFinite(value)) return "n/a";
  return value < 10 ? value.toFixed(3) : value.toPrecision(4);
}

export function percent(fraction: number): string {
  return `${Math.floor(Math.min(1, Math.max(0, fraction)) * 100 + 1e-6)} %`;
}

/** "0.4 %", "6.1 %", "31 %": a share of which some tenths matter while it is small. */
export function share(fraction: number): string {
  const hundred = fraction * 100;
  if (hundred > 0 && hundred < 0.1) return "under 0.1 %";
  if (hundred > 99 && hundred < 100) return "99 %"; // not all, however few are left
  return `${hundred === 0 || hundred >= 10 ? Math.round(hundred) : hundred.toFixed(1)} %`;
}

export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < MINUTE) return `${s} s`;
  if (s < 10 * MINUTE) return `${Math.floor(s / MINUTE)} min ${s % MINUTE} s`;
  if (s < HOUR) return `${Math.round(s / MINUTE)} min`;
  const minutes = Math.floor((s % HOUR) / MINUTE);
  return `${Math.floor(s / HOUR)} h ${String(minutes).padStart(2, "0")} min`;
}

export function bytes(n: number): string {
  if (n >= 1e9) return `${(n / 1e9).toFixed(1)} GB`;
  return n >= 1e6
    ? `${(n / 1e6).toFixed(n < 1e7 ? 1 : 0)} MB`
    : `${Math.max(1, Math.round(n / 1e3))} KB`;
}

export function ago(iso: string | null, now: number): string {
  const then = iso ? Date.parse(iso) : Number.NaN;
  if (Number.isNaN(then)) return "";
  const s = Math.max(0, (now - then) / 1000);
  if (s < MINUTE) return "now";
  if (s < HOUR) return `${Math.floor(s / MINUTE)} min ago`;
  return s < DAY ? `${Math.floor(s / HOUR)} h ago` : `${Math.floor(s / DAY)} d ago`;
}

export function clock(time: number | string): string {
  return new Date(time).toLocaleTimeString("en-GB");
}

/** "22 Nov 14:08" */
export function date(iso: string): string {
  const at = new Date(iso);
  const day = at.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return `${day} ${at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}`;
}

/** "12 of 40 MB", "300 of 1,000 rows", or nothing where the stage does not count. */
export function amount(stage: Pick<StageView, "done" | "total" | "unit">): string {
  const { done, total, unit } = stage;
  if (done === null || unit === null) return "";
  if (unit !== "bytes") {
    return total === null ? `${count(done)} ${unit}` : `${count(done)} of ${count(total)} ${unit}`;
  }
  if (total === null) return bytes(done);
  const [left, right] = [bytes(done).split(" "), bytes(total).split(" ")];
  const unitOnce = left[1] === right[1] ? left[0] : left.join(" ");
  return `${unitOnce} of ${right.join(" ")}`;
}

export function ordinal(n: number): string {
  const tens = n % 100;
  const suffix = tens > 10 && tens < 14 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${suffix}`;
}

/** "FM" for "First model". */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters =
    words.length > 1 ? words.slice(0, 2).map((w) => [...w][0]) : [...(words[0] ?? "?")].slice(0, 2);
  return letters.join("").toUpperCase();
}

/** "builtin:tiny-gpt2" -> "tiny-gpt2", "openai-community/gpt2" -> "gpt2". */
export function shortSource(source: string): string {
  const plain = source.replace(/^(builtin|variable):/, "").replace(/[/\\]+$/, "");
  return plain.split(/[/\\]/).at(-1) || source;
}

export const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
