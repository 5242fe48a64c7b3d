import { describe, expect, it } from 'vitest';
import { hooked } from './hooks.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

class Crash extends Error {}

/**
 * A world whose first process dies for good when so many calls have taken effect. Nothing outside changes between one
 * call's effect and the next call, so this is both "after the n-th" and "before the n+1st".
 */
function createDoomed(life: Life, diesAfter: number, names: string[]): Promise<World> {
  let isFirst = true;
  const die = (): void => {
    if (names.length >= diesAfter) throw new Crash();
  };
  return createWorld({
    visibleAfterMs: life.visibleAfterMs ?? 0,
    wrap: (deps) => {
      if (!isFirst) return deps;
      isFirst = false;
      return hooked(deps, {
        before: die,
        after: (call) => {
          names.push(call);
          die();
        },
      });
    },
  });
}

/** Goes from one due row to the next; a process that died is followed by another. */
async function live(world: World, seconds: number): Promise<void> {
  const end = world.now + seconds * 1000;
  let sweptAt = -Infinity;
  for (;;) {
    try {
      await world.deliver();
      const isDue = (world.store.readDue(world.nodeDeps().key)[0]?.dueAt ?? Infinity) <= world.now;
      if (isDue || world.now - sweptAt >= 30_000) {
        sweptAt = world.now;
        await world.sweep();
      }
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      world.restart();
      continue;
    }
    if (world.now >= end) return;
    const next = world.store.readDue(world.nodeDeps().key)[0]?.dueAt ?? Infinity;
    world.now = Math.min(end, Math.max(world.now + 500, Math.min(next + 1, world.now + 30_000)));
  }
}

interface Life {
  readonly name: string;
  readonly image: 'exits-3' | 'serves';
  readonly restartPolicy: 'Never' | 'Always';
  readonly middle: string;
  readonly phases: readonly string[];
  readonly code: number;
  /** ARM is slow to show what it accepted. */
  readonly visibleAfterMs?: number;
}

const lives: readonly Life[] = [
  {
    name: 'Never: create, run, finish, delete',
    image: 'exits-3',
    restartPolicy: 'Never',
    middle: 'Failed, main: Error 3',
    phases: ['Pending', 'Running', 'Failed'],
    code: 3,
  },
  {
    name: 'Never, while ARM is slow to show the group',
    image: 'exits-3',
    restartPolicy: 'Never',
    middle: 'Failed, main: Error 3',
    phases: ['Pending', 'Running', 'Failed'],
    code: 3,
    visibleAfterMs: 12_000,
  },
  {
    name: 'Always: create, run, delete',
    image: 'serves',
    restartPolicy: 'Always',
    middle: 'Running, main: running',
    phases: ['Pending', 'Running', 'Failed'],
    code: 137,
  },
];

/** What an observer sees of one life, whatever died on the way. */
async function tell(
  life: Life,
  diesAfter = Infinity,
): Promise<{ readonly said: unknown; readonly names: readonly string[] }> {
  const names: string[] = [];
  const world = await createDoomed(life, diesAfter, names);
  const codes: (number | undefined)[] = [];
  world.cluster.watchPods((change, pod) => {
    const state = pod.status.containerStatuses[0]?.state;
    if (change === 'deleted') codes.push(state?.kind === 'terminated' ? state.exitCode : undefined);
  });
  const pod = world.createPod(life.image, { restartPolicy: life.restartPolicy });
  await live(world, 130);
  const middle = [world.told(), world.groups.names().length, world.groups.puts().length];
  world.deletePod();
  await live(world, 130);
  const end = [world.told(), world.groups.names(), world.rows(), world.groups.puts().length];
  return { said: { middle, end, phases: world.phases.get(pod.metadata.uid), codes }, names };
}

describe('a process that dies between any two calls', () => {
  it.each(lives)(
    '$name: one PUT, one group while it lives and none after, the true code',
    async (life) => {
      const reference = await tell(life);
      const expected = {
        middle: [life.middle, 1, 1],
        end: ['gone', [], [], 1],
        phases: life.phases,
        codes: [life.code],
      };
      expect(withoutQuickPhases(reference.said, life)).toEqual(expected);
      const failures: string[] = [];
      for (let calls = 0; calls <= reference.names.length; calls += 1) {
        const { said } = await tell(life, calls);
        if (JSON.stringify(withoutQuickPhases(said, life)) !== JSON.stringify(expected))
          failures.push(`dies after ${calls} calls, before ${reference.names[calls]}: ${JSON.stringify(said)}`);
      }
      console.log(`${life.name}: ${reference.names.length + 1} crash points`);
      expect(failures).toEqual([]);
    },
    60_000,
  );
});

/** A short life may end before anybody could look at it while it ran: then Running was never written. */
function withoutQuickPhases(said: unknown, life: Life): unknown {
  if (life.code !== 3 || typeof said !== 'object' || said === null || !('phases' in said)) return said;
  return JSON.stringify(said.phases) === JSON.stringify(['Pending', 'Failed'])
    ? { ...said, phases: life.phases }
    : said;
}
