/** Measuring many elements at once: all are made ready, all are read, all are set, in one layout. */
interface Measure {
  ready: () => void;
  read: () => number;
  set: (measured: number) => void;
}

let next: Measure[] = [];

/** Measures before the next frame is drawn. One by one, each would lay out the whole page. */
export function together(measure: Measure): void {
  if (next.length === 0) queueMicrotask(run);
  next.push(measure);
}

function run(): void {
  const all = next;
  next = [];
  for (const one of all) one.ready();
  const measured = all.map((one) => one.read());
  for (const [i, one] of all.entries()) one.set(measured[i] ?? 0);
}
