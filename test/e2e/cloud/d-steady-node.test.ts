import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { apply, createNamespace, host, outage, pod, record, removeNamespace, until } from './cloud.ts';
import type { PodRecorder } from '../pod-recorder.ts';
import { coordination, core, recordPods, violations } from './oracles.ts';

/** The outages are spread over this time; FLAP_MINUTES=15 for a long look. */
const minutes = Number(process.env['FLAP_MINUTES'] ?? 5);
const namespace = 'steady';
const node = record.nodes[0] ?? '';
const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

/** Asks for the Lease and the Node each second; an API server that is away counts as no answer. */
class NodePoller {
  readonly renewals: number[] = [];
  readonly conditions = new Set<string>();
  readonly taints = new Set<string>();
  readonly uids = new Set<string>();
  answers = 0;
  readonly #ended = new AbortController();
  readonly #running = this.#run();

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  /** The longest time between two renewals that were seen. */
  get largestGapSeconds(): number {
    return Math.max(...this.renewals.map((at, index) => (at - (this.renewals[index - 1] ?? at)) / 1000));
  }

  async #run(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      await this.#ask().catch(() => undefined);
      await sleep(1000);
    }
  }

  async #ask(): Promise<void> {
    const [lease, seen] = await Promise.all([
      coordination.readNamespacedLease({ namespace: 'kube-node-lease', name: node }),
      core.readNode({ name: node }),
    ]);
    const renewedAt = Date.parse(String(lease.spec?.renewTime));
    if (this.renewals.at(-1) !== renewedAt) this.renewals.push(renewedAt);
    const ready = seen.status?.conditions?.find(({ type }) => type === 'Ready');
    this.conditions.add(ready?.status ?? 'absent');
    for (const taint of seen.spec?.taints ?? []) this.taints.add(taint.key);
    this.uids.add(seen.metadata?.uid ?? '');
    this.answers += 1;
  }
}

describe('the node never flaps', () => {
  let recorder: PodRecorder;

  beforeAll(async () => {
    await createNamespace(namespace);
    recorder = recordPods(namespace);
    await apply(...names('steady', 20).map((name) => pod(name, { namespace })));
    await phases('steady-', 20, 'Running', 150_000);
  });

  afterAll(async () => {
    await recorder.stop();
    await removeNamespace(namespace);
  });

  const phases = (prefix: string, count: number, phase: string, timeoutMs: number) =>
    until(
      `${count} pods ${prefix} are ${phase}`,
      async () =>
        [...recorder.histories.values()].filter(
          ({ name, phases: seen }) => name.startsWith(prefix) && seen.at(-1) === phase,
        ).length,
      (seen) => seen === count,
      timeoutMs,
    );

  it(`in ${minutes} minutes of outages`, { timeout: (minutes + 4) * 60_000 }, async () => {
    const poller = new NodePoller();
    onTestFinished(() => poller.stop());
    const start = Date.now();
    const at = (part: number) => sleep(Math.max(0, start + part * minutes * 60_000 - Date.now()));
    await at(0.03);
    await host('kill?target=timer:node-heartbeat&signal=SIGKILL');
    await at(0.13);
    await host('kill?target=timer:node-heartbeat&signal=SIGKILL');
    await at(0.23);
    await outage('api-server/restart');
    await at(0.33);
    await host('pause?ms=90000');
    await sleep(90_000);
    await at(0.66);
    const burstAt = Date.now();
    await apply(...names('burst', 60).map((name) => pod(name, { namespace, command: ['sleep', '5'] })));
    await phases('burst-', 60, 'Succeeded', 180_000);
    const burstMs = Date.now() - burstAt;
    await at(1);
    await poller.stop();

    const gap = poller.largestGapSeconds;
    console.log(
      `${minutes} minutes: largest gap of the Lease ${gap.toFixed(1)} s, ${poller.renewals.length} renewals, ` +
        `${poller.answers} polls; 60 pods of 5 s done after ${(burstMs / 1000).toFixed(1)} s`,
    );
    expect([...poller.conditions]).toEqual(['True']);
    expect([...poller.taints]).toEqual(['virtual-kubelet.io/provider']);
    expect(poller.uids.size).toBe(1);
    // The controller manager takes a node for lost after 50 s.
    expect(gap).toBeLessThan(45);
    expect(poller.answers).toBeGreaterThan(minutes * 30);
    const steady = [...recorder.histories.values()].filter(({ name }) => name.startsWith('steady-'));
    expect(steady.map(({ phases: seen, deleted, restarts }) => [seen.at(-1), deleted, restarts])).toEqual(
      Array.from({ length: 20 }, () => ['Running', false, 0]),
    );
    expect(await violations(recorder)).toEqual([]);
  });
});
