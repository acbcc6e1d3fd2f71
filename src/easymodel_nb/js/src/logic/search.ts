/** Type-ahead: every word that was typed stands in something of an entry. */
export interface Searchable {
  title: string;
  detail?: string;
  group: string;
  /** What else it is found by. */
  also?: string;
}

/** The entries that fit: the group with the best one first, the best of a group first. */
export function search<T extends Searchable>(entries: T[], typed: string): T[] {
  const needles = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (needles.length === 0) return entries;
  const scored = entries.flatMap((entry, place) => {
    const score = scoreOf(entry, needles);
    return score > 0 ? [{ entry, score, place }] : [];
  });
  const groups = new Map<string, { best: number; place: number }>();
  for (const { entry, score, place } of scored) {
    const known = groups.get(entry.group);
    groups.set(entry.group, {
      best: Math.max(score, known?.best ?? 0),
      place: known?.place ?? place,
    });
  }
  const of = (group: string) => groups.get(group) ?? { best: 0, place: 0 };
  return scored
    .sort((a, b) => {
      const [one, two] = [of(a.entry.group), of(b.entry.group)];
      return two.best - one.best || one.place - two.place || b.score - a.score;
    })
    .map(({ entry }) => entry);
}

function scoreOf({ title, detail = "", group, also = "" }: Searchable, needles: string[]): number {
  const [name, more] = [title.toLowerCase(), `${detail} ${group} ${also}`.toLowerCase()];
  let score = 0;
  for (const needle of needles) {
    if (name.startsWith(needle)) score += 4;
    else if (beginsWord(name, needle)) score += 3;
    else if (name.includes(needle)) score += 2;
    else if (more.includes(needle)) score += 1;
    else return 0;
  }
  return score;
}

function beginsWord(text: string, needle: string): boolean {
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) {
    if (at === 0 || /[^\p{L}\p{N}]/u.test(text[at - 1] ?? "")) return true;
  }
  return false;
}
