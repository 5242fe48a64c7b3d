import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apply, createNamespace, host, kubectl, outage, pod, removeNamespace, runs, until } from './cloud.ts';
import { random } from '../../../infra/local/sim/time/chance.ts';
import type { PodRecorder } from '../pod-recorder.ts';
import { recordPods, violations } from './oracles.ts';

const namespace = 'outage';
let recorder: PodRecorder;

beforeAll(async () => {
  await createNamespace(namespace);
  recorder = recordPods(namespace);
});

afterAll(async () => {
  await recorder.stop();
  await removeNamespace(namespace);
});

describe('the relay is down', () => {
  afterAll(() => outage('relay/start'));

  it('and a new pod still starts, by the sweep', async () => {
    await outage('relay/kill');
    const appliedAt = Date.now();
    await apply(pod('swept', { namespace }));
    const seconds = (): string => ((Date.now() - appliedAt) / 1000).toFixed(1);
    // 45 s until the relay counts as silent, 30 s until the next sweep, one more while a new budget fills.
    await until(
      'the container runs',
      async () => (await runs()).filter((run) => run.uid === recorder.of('swept')?.uid).length,
      (count) => count === 1,
      115_000,
    );
    const ranAfter = seconds();
    // The sweep after the next says so.
    await until(
      'the status says so',
      async () => recorder.of('swept')?.phases.at(-1),
      (phase) => phase === 'Running',
      70_000,
    );
    console.log(`without a relay a container ran after ${ranAfter} s, and its pod was Running after ${seconds()} s`);
    expect(await violations(recorder)).toEqual([]);
  });
});

describe('the app is killed at random', () => {
  const count = 30;
  const kills = 10;
  const targets = ['all', 'http', 'http:0', 'http:1', 'timers', 'timer:pod-sweep'];

  it('amid a burst of pods, and each runs once and keeps its exit code', async () => {
    const seed = Number(process.env['OUTAGE_SEED'] ?? 7);
    const next = random(seed);
    const script = (index: number): string[] => ['sh', '-c', `echo run ${index}; sleep 2; exit ${index % 5}`];
    const pods = Array.from({ length: count }, (_, index) =>
      pod(`ends-${index}`, { namespace, command: script(index) }),
    );
    await apply(...pods);
    const killed: string[] = [];
    for (let index = 0; index < kills; index += 1) {
      await sleep(500 + next() * 3500);
      const target = targets[Math.floor(next() * targets.length)] ?? 'all';
      // A worker that is still on its way up cannot be killed: that is no fault of the story.
      await host(`kill?target=${target}&signal=SIGKILL`).then(
        () => killed.push(target),
        () => undefined,
      );
    }
    const lastKillAt = Date.now();
    const ended = () =>
      [...recorder.histories.values()].filter(
        ({ name, phases }) => name.startsWith('ends-') && ['Succeeded', 'Failed'].includes(phases.at(-1) ?? ''),
      );
    await until(
      'all pods ended',
      async () => ended().length,
      (seen) => seen === count,
      180_000,
    );
    const settledMs = Date.now() - lastKillAt;
    console.log(
      `seed ${seed}: ${killed.length} kills (${killed.join(' ')}); settled ${(settledMs / 1000).toFixed(1)} s after the last`,
    );
    expect(killed.length).toBeGreaterThan(4);
    const codes = ended().map(({ name, pod: last }) => [
      name,
      [last.status?.phase, last.status?.containerStatuses?.[0]?.state?.terminated?.exitCode],
    ]);
    expect(Object.fromEntries(codes)).toEqual(
      Object.fromEntries(
        pods.map((_, index) => [`ends-${index}`, [index % 5 === 0 ? 'Succeeded' : 'Failed', index % 5]]),
      ),
    );
    expect(await violations(recorder)).toEqual([]);
    const log = await kubectl(['logs', 'ends-17', '-n', namespace]);
    expect(log).toMatchObject({ code: 0, stdout: 'run 17\n' });
  });
});
