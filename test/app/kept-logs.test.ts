import { describe, expect, it } from 'vitest';
import { readContainerLogs } from '../../shared/app/read-logs.ts';
import type { Fault } from '../../shared/core/fault.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';
import { defined } from '../../shared/core/defined.ts';

const hello = '2026-11-23T12:00:05Z hello\n';

/** The log as it is asked for by the relay, or its fault. */
async function logOf(world: World, name = 'p', tail?: number): Promise<string> {
  const uid = world.pod(name)?.metadata.uid ?? '';
  const request = { namespace: 'default', name, uid, container: 'main', ...defined({ tail }) };
  const read = await readContainerLogs(world.deps, world.nodeDeps(), request, new AbortController().signal);
  return read.ok ? read.value : 'code' in read.fault ? read.fault.code : read.fault.kind;
}

const away: Fault = { kind: 'transient', message: 'Blob storage answered 500' };
const busy: Fault = { kind: 'throttled', retryAfterMs: 9_000, message: 'too many reads' };
const limited = { activeDeadlineSeconds: 20 };

describe('the log of a pod past its deadline', () => {
  it('stays readable after the containers were ended, as long as the pod is there', async () => {
    const world = await createWorld();
    world.createPod('serves', limited);
    await world.run(60);
    expect(world.statusOf()).toBe('Failed DeadlineExceeded, main: ContainerStatusUnknown 137');
    expect(world.groups.readGroup(world.row()?.group ?? '')?.stopped).toBe(true);
    expect(await logOf(world)).toBe(hello);
    expect(await logOf(world, 'p', 0)).toBe('');
    expect(world.keptLogs.groups()).toEqual([world.row()?.group]);
    world.restart();
    expect(await logOf(world)).toBe(hello);
  });

  it('is gone with the pod', async () => {
    const world = await createWorld();
    world.createPod('serves', limited);
    await world.run(60);
    world.deletePod();
    await world.run(60);
    expect([world.statusOf(), world.rows(), world.groups.names(), world.keptLogs.groups()]).toEqual([
      'gone',
      [],
      [],
      [],
    ]);
  });

  it('is gone with the pod after the rows were lost, too', async () => {
    const world = await createWorld();
    world.createPod('serves', limited);
    await world.run(60);
    world.store.clear();
    await world.run(120);
    world.deletePod();
    await world.run(120);
    expect([world.statusOf(), world.groups.names(), world.keptLogs.groups()]).toEqual(['gone', [], []]);
  });

  it('is waited for while the logs’ budget is empty', async () => {
    const world = await createWorld();
    world.groups.inject({ method: 'listLogs', moment: 'before', fault: busy, times: 2 });
    world.createPod('serves', limited);
    await world.run(30);
    expect(world.statusOf()).toBe('Running, main: running');
    await world.run(30);
    expect(world.statusOf()).toMatch(/^Failed DeadlineExceeded/);
    expect(await logOf(world)).toBe(hello);
    expect(world.events('LogNotKept')).toEqual([]);
  });

  it('is waited for no longer than a minute, and then it is reported', async () => {
    const world = await createWorld();
    world.keptLogs.fault = away;
    world.createPod('serves', limited);
    await world.run(75);
    expect(world.statusOf()).toBe('Running, main: running');
    await world.run(45);
    expect(world.statusOf()).toMatch(/^Failed DeadlineExceeded/);
    expect(world.events('LogNotKept')).toEqual([
      `LogNotKept: The log could not be kept before container group ${world.row()?.group ?? ''} is ended: Blob storage answered 500`,
    ]);
    expect(await logOf(world)).toBe('ContainerLogNotAvailable');
    expect(world.keptLogs.groups()).toEqual([]);
  });

  it('is not waited for where there is no place for it', async () => {
    const world = await createWorld();
    world.keptLogs.fault = { kind: 'rejected', code: 'NoBlobStorage', message: 'no place' };
    world.createPod('serves', limited);
    await world.run(30);
    expect(world.statusOf()).toMatch(/^Failed DeadlineExceeded/);
    expect(world.events('LogNotKept')).toHaveLength(1);
  });

  it('is kept once the same whenever the process dies', async () => {
    for (const call of ['keptLogs.put', 'groups.stop', 'groups.listLogs']) {
      const dying = { left: 2 };
      const world = await createWorld({
        wrap: (deps) => ({
          ...deps,
          ...(call.startsWith('keptLogs')
            ? {
                keptLogs: {
                  ...deps.keptLogs,
                  put: async (...args: Parameters<typeof deps.keptLogs.put>) => {
                    const put = await deps.keptLogs.put(...args);
                    dying.left -= 1;
                    return dying.left < 0 ? put : { ok: false as const, fault: away };
                  },
                },
              }
            : {}),
        }),
      });
      if (call === 'groups.stop') world.groups.inject({ method: 'stop', moment: 'after', fault: away, times: 2 });
      if (call === 'groups.listLogs')
        world.groups.inject({ method: 'listLogs', moment: 'after', fault: away, times: 2 });
      world.createPod('serves', limited);
      await world.run(90);
      expect(world.statusOf()).toMatch(/^Failed DeadlineExceeded/);
      expect(await logOf(world)).toBe(hello);
    }
  });
});

it('a running container’s log is ACI’s, and costs no other request', async () => {
  const world = await createWorld();
  world.createPod('serves', { restartPolicy: 'Always' });
  await world.run(20);
  expect(await world.count('keptLogs.', async () => expect(await logOf(world)).toBe(hello))).toBe(0);
  world.deletePod();
  expect(await world.count('keptLogs.', () => world.run(60))).toBe(0);
});
