import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../shared/core/fault.ts';
import { timing } from '../../shared/core/reconcile/timing.ts';
import { AgentRig } from './agent-rig.ts';
import type { Program } from './agent-rig.ts';
import { hooked } from './hooks.ts';

const quick: Program = { endsInMs: 3_000, exitCode: 7 };
const slow: Program = { endsInMs: 90_000, exitCode: 0 };
const missing: Program = { ...quick, isMissing: true };
const throttled: Fault = { kind: 'throttled', retryAfterMs: 5_000, message: 'no budget' };
const broken: Fault = { kind: 'transient', message: 'reset' };
/** From the end of the drain until the object is gone. */
const cleanUpMs = 12_000;

/** The last words of the pod's status before it was gone, and after how many seconds that was. */
async function deleted(rig: AgentRig, grace?: number): Promise<{ readonly last: string; readonly seconds: number }> {
  const { world } = rig;
  let last = '';
  world.cluster.watchPods((change) => void (change === 'modified' && (last = world.statusOf())));
  const from = world.now;
  world.deletePod('p', grace);
  while (world.pod() !== undefined && world.now - from < 200_000) await rig.run(1);
  return { last, seconds: (world.now - from) / 1000 };
}

const ended = async (rig: AgentRig, grace?: number): Promise<string> => (await deleted(rig, grace)).last;

describe('a deleted pod whose containers have agents', () => {
  it('ends as its program does, within its grace, and nothing is stopped', async () => {
    const rig = await AgentRig.create({ main: quick });
    const { last, seconds } = await deleted(rig);
    expect(last).toBe('Failed, main: Error 7');
    expect(seconds).toBeLessThan(12);
    expect(rig.world.agents.heard()).toEqual([expect.stringMatching(/\/main drain 30$/)]);
    expect(rig.world.calls).not.toContain('groups.stop');
    await rig.run(5);
    expect([rig.world.groups.names(), rig.world.rows()]).toEqual([[], []]);
  });

  it('is Succeeded where all of its programs end with 0', async () => {
    const rig = await AgentRig.create({ main: { ...quick, exitCode: 0 }, other: { ...quick, exitCode: 0 } });
    expect(await ended(rig)).toBe('Succeeded, main: Completed 0, other: Completed 0');
  });

  it('has 137 for a program that does not end, in time', async () => {
    const { last, seconds } = await deleted(await AgentRig.create({ main: slow }));
    expect(last).toBe('Failed, main: Error 137');
    expect(seconds).toBeGreaterThanOrEqual(30);
    expect(seconds).toBeLessThan(40);
  });

  it('hears of a deadline that comes nearer', async () => {
    const rig = await AgentRig.create({ main: slow });
    rig.world.deletePod();
    await rig.run(3);
    const { last, seconds } = await deleted(rig, 5);
    expect(last).toBe('Failed, main: Error 137');
    expect(seconds).toBeLessThan(14);
    expect(rig.world.agents.heard().map((word) => word.slice(word.indexOf(' ')))).toEqual([' drain 30', ' drain 2']);
  });

  it('that has passed when it comes, too', async () => {
    const rig = await AgentRig.create({ main: quick });
    rig.world.agents.inject({ method: 'drain', moment: 'before', fault: { ...throttled, retryAfterMs: 60_000 } });
    rig.world.deletePod('p', 100);
    await rig.run(20);
    const { last, seconds } = await deleted(rig, 5);
    expect([last, rig.world.agents.heard()]).toEqual([
      'Failed, main: Error 137',
      [expect.stringMatching(/main drain 2$/)],
    ]);
    expect(seconds).toBeLessThan(12);
  });

  it.each<[string, Program, string]>([
    ['nobody hears the end of', { ...quick, isUnheard: true }, 'main: ContainerStatusUnknown 137'],
    ['has no agent', missing, 'main: ContainerStatusUnknown 137'],
  ])('is stopped where a container %s', async (_, program, last) => {
    const rig = await AgentRig.create({ main: program });
    const found = await deleted(rig);
    expect(found.last).toBe(`Failed, ${last}`);
    expect(found.seconds).toBeLessThan(30 + (timing.drainAllowanceMs + cleanUpMs) / 1000);
    expect(rig.world.calls).toContain('groups.stop');
  });

  it('has the true end of the others where one has no agent', async () => {
    const rig = await AgentRig.create({ main: quick, other: missing });
    expect(await ended(rig)).toBe('Failed, main: Error 7, other: ContainerStatusUnknown 137');
  });

  it('waits for a budget within its grace', async () => {
    const rig = await AgentRig.create({ main: quick });
    rig.world.agents.inject({ method: 'drain', moment: 'before', fault: throttled, times: 2 });
    const { last, seconds } = await deleted(rig);
    expect(last).toBe('Failed, main: Error 7');
    expect(seconds).toBeGreaterThan(10);
    expect(rig.world.agents.heard()).toHaveLength(1);
  });

  it('is stopped at the end of its grace where there never is one', async () => {
    const rig = await AgentRig.create({ main: quick });
    rig.world.agents.inject({ method: 'drain', moment: 'before', fault: throttled, times: 100 });
    const { last, seconds } = await deleted(rig);
    expect(last).toBe('Failed, main: ContainerStatusUnknown 137');
    expect(seconds).toBeLessThan(30 + (timing.drainAllowanceMs + cleanUpMs) / 1000);
  });

  it('is not told again where only the answer was lost, once it reports that it heard', async () => {
    const rig = await AgentRig.create({ main: { ...quick, endsInMs: 20_000 } });
    rig.world.agents.inject({ method: 'drain', moment: 'after', fault: broken });
    expect(await ended(rig)).toBe('Failed, main: Error 7');
    expect(rig.world.agents.heard()).toHaveLength(1);
  });

  it('is not drained without a grace: it is gone at once', async () => {
    const rig = await AgentRig.create({ main: quick });
    await deleted(rig, 0);
    await rig.run(10);
    expect([rig.world.agents.heard(), rig.world.groups.names()]).toEqual([[], []]);
  });

  it('is drained after the rows were lost', async () => {
    const rig = await AgentRig.create({ main: quick });
    rig.world.store.clear();
    rig.world.restart();
    await rig.run(120);
    expect(await ended(rig)).toBe('Failed, main: Error 7');
  });
});

describe('a pod past activeDeadlineSeconds', () => {
  it('is drained, and Failed with the true code', async () => {
    const rig = await AgentRig.create({ main: { ...quick, exitCode: 0 } }, { spec: { activeDeadlineSeconds: 30 } });
    await rig.run(60);
    expect(rig.world.statusOf()).toBe('Failed DeadlineExceeded, main: Completed 0');
    expect(rig.world.agents.heard()).toEqual([expect.stringMatching(/main drain 30$/)]);
    await rig.run(60);
    const [group = ''] = rig.world.groups.names();
    const found = await rig.world.groups.get(group, new AbortController().signal);
    expect(found).toMatchObject({ value: { state: 'Stopped' } });
  });

  it('is stopped when the grace is over, too', async () => {
    const rig = await AgentRig.create({ main: { ...quick, isUnheard: true } }, { spec: { activeDeadlineSeconds: 30 } });
    await rig.run(80);
    expect(rig.world.statusOf()).toMatch(/^Failed DeadlineExceeded, main: \w+ 137$/);
  });
});

describe('an agent that nobody hears', () => {
  it('is asked once, and an event says what is in its way', async () => {
    const rig = await AgentRig.create({ main: { ...slow, isUnheard: true } });
    await rig.run(60);
    expect(rig.world.events('AgentSilent')).toEqual([]);
    await rig.run(600);
    expect(rig.world.events('AgentSilent')).toEqual([
      expect.stringContaining("the app's name is not resolved in the group"),
    ]);
    expect(rig.world.agents.heard()).toEqual([expect.stringMatching(/main status$/)]);
  });

  it.each([
    ['unready', false],
    ['ready', true],
  ])(
    'leaves its container %s where the setting says so, and not before it was asked',
    async (AGENT_SILENCE, isReady) => {
      const rig = await AgentRig.create({ main: { ...slow, isUnheard: true } }, { settings: { AGENT_SILENCE } });
      const ready = () => rig.world.pod()?.status.containerStatuses[0]?.ready;
      await rig.run(60);
      expect(ready()).toBe(false);
      await rig.run(120);
      expect(ready()).toBe(isReady);
    },
  );
});

const program: fc.Arbitrary<Program> = fc.record({
  endsInMs: fc.integer({ min: 0, max: 40_000 }),
  exitCode: fc.constantFrom(0, 7, 137),
  isMissing: fc.constantFrom(false, false, false, true),
  isUnheard: fc.constantFrom(false, false, false, true),
});
const wordFault = fc.record({
  fault: fc.constantFrom(throttled, broken),
  moment: fc.constantFrom('before' as const, 'after' as const),
  skip: fc.integer({ min: 0, max: 3 }),
  times: fc.integer({ min: 1, max: 4 }),
});
const crashed = new Error('crash');

describe('whatever happens to words, reports and processes', () => {
  it('no pod is ended before its grace while an agent owes an end, nor held longer; no word is said twice in vain', async () => {
    const life = fc.record({
      programs: fc.array(program, { minLength: 1, maxLength: 3 }),
      grace: fc.integer({ min: 3, max: 30 }),
      faults: fc.array(wordFault, { maxLength: 2 }),
      crashAt: fc.option(fc.record({ call: fc.integer({ min: 0, max: 30 }), isAfter: fc.boolean() })),
    });
    await fc.assert(
      fc.asyncProperty(life, async ({ programs, grace, faults, crashAt }) => {
        let left: number | undefined;
        let deletedAt = Infinity;
        const early: string[] = [];
        const see = (rig: () => AgentRig | undefined, isAfter: boolean) => (call: string) => {
          const known = rig();
          if (known === undefined || deletedAt === Infinity) return;
          const isEnd = call === 'groups.stop' || call === 'groups.delete';
          const isOver = known.areAllReported || known.world.now >= deletedAt + grace * 1000 - 1_000;
          if (isEnd && !isAfter && !isOver) early.push(`${call} after ${known.world.now - deletedAt} ms`);
          if (left === undefined || isAfter !== crashAt?.isAfter) return;
          left -= 1;
          if (left < 0) {
            left = undefined;
            throw crashed;
          }
        };
        let made: AgentRig | undefined;
        const names = Object.fromEntries(programs.map((one, index) => [`c${index}`, one]));
        const rig = await AgentRig.create(names, {
          wrap: (deps) => hooked(deps, { before: see(() => made, false), after: see(() => made, true) }),
        });
        made = rig;
        const { world } = rig;
        for (const one of faults) world.agents.inject({ method: 'drain', ...one });
        deletedAt = world.now;
        left = crashAt?.call;
        world.deletePod('p', grace);
        let crashes = 0;
        const limitMs = grace * 1000 + timing.leastGraceMs + timing.drainAllowanceMs + cleanUpMs;
        const spentMs = () => (crashes === 0 ? limitMs : limitMs + 2 * timing.lockMs);
        while (world.pod() !== undefined && world.now - deletedAt < 400_000)
          await rig.run(1, (error) => {
            if (error !== crashed) throw error;
            crashes += 1;
          });
        expect(early).toEqual([]);
        expect(world.now - deletedAt).toBeLessThanOrEqual(spentMs());
        const lost = faults.filter(({ moment }) => moment === 'after').reduce((sum, { times }) => sum + times, 0);
        for (const name of Object.keys(names)) {
          const words = world.agents.heard().filter((word) => word.includes(`/${name} drain`));
          expect(words.length).toBeLessThanOrEqual(1 + lost + crashes);
        }
      }),
      { numRuns: 40 },
    );
  }, 120_000);
});
