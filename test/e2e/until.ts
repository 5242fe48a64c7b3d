import { setTimeout as sleep } from 'node:timers/promises';

/** Asks until the answer is right; the error shows the last answer. */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  right: (answer: T) => boolean,
  timeoutMs = 60_000,
): Promise<T> {
  const giveUpAt = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (right(answer)) return answer;
    if (Date.now() > giveUpAt)
      throw new Error(
        `${what}: not within ${timeoutMs / 1000} s; last seen: ${JSON.stringify(answer)?.slice(0, 2000)}`,
      );
    await sleep(400);
  }
}
