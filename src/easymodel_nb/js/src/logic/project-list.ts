/** The project list as it is shown: what a search finds, where a row that is dragged would land. */
import type { ProjectItem } from "../protocol";

/** From so many projects on the list can be searched. */
export const SEARCH_FROM = 8;
export const SUFFIX = ".easymodel.json";
/** What Python takes as a project, in bytes. */
const LARGEST = 1_000_000;

/** Those whose name holds every word of the query, in the order of the list. */
export function found(items: ProjectItem[], query: string): ProjectItem[] {
  const words = fold(query).split(/\s+/).filter(Boolean);
  if (words.length === 0) return items;
  return items.filter((item) => {
    const name = fold(item.name);
    return words.every((word) => name.includes(word));
  });
}

/** Without case and accents: "resume" finds "Résumé". */
const fold = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** The row that a row let go at `y` lands before, null for the end; undefined: it stays. */
export function landing(
  ids: string[],
  middles: number[],
  moving: string,
  y: number,
): string | null | undefined {
  const at = ids.indexOf(moving);
  const below = middles.findIndex((middle) => y < middle);
  const place = below === -1 ? ids.length : below;
  if (at === -1 || place === at || place === at + 1) return undefined;
  return ids[place] ?? null;
}

/** What a row is put before when it goes one up or down; undefined where it cannot. */
export function step(ids: string[], moving: string, by: -1 | 1): string | null | undefined {
  const at = ids.indexOf(moving);
  if (at === -1 || at + by < 0 || at + by >= ids.length) return undefined;
  return ids[by === -1 ? at - 1 : at + 2] ?? null;
}

/** Why a file cannot be a project, before it is read; null: it may be one. */
export function refused(file: { name: string; size: number }): string | null {
  if (!file.name.toLowerCase().endsWith(".json"))
    return `${file.name} is no project: its name would end in ${SUFFIX}. Data files go on the canvas.`;
  if (file.size > LARGEST)
    return `${file.name} takes ${(file.size / 1e6).toFixed(1)} MB, and a project at most 1 MB.`;
  return null;
}
