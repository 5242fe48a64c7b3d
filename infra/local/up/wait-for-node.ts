import { setTimeout as sleep } from 'node:timers/promises';
import { kubectl } from '../cluster/kubectl.ts';
import type { KubectlTarget } from '../cluster/kubectl.ts';

const patienceMs = 60_000;

/** Resolves when the node is Ready; rejects after a minute, saying what it last was. */
export async function waitForNode(
  target: KubectlTarget,
  node: string,
  report: (detail: string) => void,
): Promise<void> {
  const giveUpAt = Date.now() + patienceMs;
  for (;;) {
    const ready = await kubectl(
      ['get', 'node', node, '--ignore-not-found', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'],
      target,
    );
    if (ready.stdout === 'True') return report(`${node} is Ready`);
    if (Date.now() > giveUpAt)
      throw new Error(
        `node ${node} is not Ready after a minute (${ready.stdout === '' ? 'it does not exist' : ready.stdout}); the app's log is in logs/functions`,
      );
    await sleep(300);
  }
}
