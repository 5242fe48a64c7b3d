import { setTimeout as sleep } from 'node:timers/promises';
import type { Administrator } from './administrator.ts';

const patienceMs = 60_000;

/** Resolves when the node is Ready; rejects after a minute, saying what it last was. */
export async function waitForNode(
  administrator: Pick<Administrator, 'readReady'>,
  node: string,
  report: (detail: string) => void,
): Promise<void> {
  const giveUpAt = Date.now() + patienceMs;
  for (;;) {
    const ready = await administrator.readReady(node);
    if (ready === 'True') return report(`${node} is Ready`);
    if (Date.now() > giveUpAt)
      throw new Error(
        `node ${node} is not Ready after a minute (${ready === '' ? 'it does not exist' : ready}); the app's log is in logs/functions`,
      );
    await sleep(300);
  }
}
