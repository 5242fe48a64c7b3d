import { describe, expect, it } from 'vitest';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

const images = { fails: { runMs: 20_000, exitCode: 3, log: 'one\nboom\n' } };
const spec = (policy: string) => ({
  containers: [{ name: 'main', image: 'fails', terminationMessagePolicy: policy }],
});
const endOf = (world: World) => world.pod()?.status.containerStatuses[0]?.state;

describe('a container that fails', () => {
  it('has the end of its log as its message, for one read, where its policy asks for it', async () => {
    const world = await createWorld({ images });
    world.createPod('serves', spec('FallbackToLogsOnError'));
    expect(await world.count('groups.listLogs', () => world.run(120))).toBe(1);
    expect(endOf(world)).toMatchObject({ kind: 'terminated', exitCode: 3, reason: 'Error', message: 'one\nboom\n' });
  });

  it('has none, for no read, where it does not', async () => {
    const world = await createWorld({ images });
    world.createPod('serves', spec('File'));
    expect(await world.count('groups.listLogs', () => world.run(120))).toBe(0);
    expect(endOf(world)).toMatchObject({ kind: 'terminated', exitCode: 3 });
    expect(endOf(world)).not.toHaveProperty('message');
  });

  it('is reported as ended at once all the same when its log can’t be read', async () => {
    const world = await createWorld({ images });
    const fault = { kind: 'throttled', retryAfterMs: 600_000, message: 'no' } as const;
    world.groups.inject({ method: 'listLogs', moment: 'before', fault, times: 10 });
    world.createPod('serves', spec('FallbackToLogsOnError'));
    expect(await world.count('groups.listLogs', () => world.run(60))).toBe(1);
    expect(world.statusOf()).toBe('Failed, main: Error 3');
  });

  it('again and again is read once for each end', async () => {
    const world = await createWorld({ images });
    world.createPod('serves', { ...spec('FallbackToLogsOnError'), restartPolicy: 'Always' });
    const reads = await world.count('groups.listLogs', () => world.run(1200));
    const restarts = world.pod()?.status.containerStatuses[0]?.restartCount ?? 0;
    expect(restarts).toBeGreaterThan(3);
    expect(reads).toBeLessThanOrEqual(restarts + 1);
    expect(reads).toBeGreaterThan(1);
  });
});
