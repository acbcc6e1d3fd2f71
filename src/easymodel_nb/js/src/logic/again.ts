/** Long work of the kernel that answers at once, and is asked again until it is done. */

const AGAIN_MS = 700;

export async function again<T>(
  ask: () => Promise<T>,
  busy: (answer: T) => boolean,
  wait = (ms: number) => new Promise<void>((done) => setTimeout(done, ms)),
): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (!busy(answer)) return answer;
    await wait(AGAIN_MS);
  }
}
