import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterCapacityEvent, capacityClass, mayAsk } from '../../../shared/core/budget/capacity.ts';
import type { CapacityEvent, CapacityState } from '../../../shared/core/budget/capacity.ts';

const refused = (uid: string, seenAt: CapacityState['seenAt'] = 'put'): CapacityEvent => ({
  kind: 'refused',
  uid,
  seenAt,
  message: 'no room',
  random: 0.5,
});
/** What is after these, a second apart unless a number says how many seconds pass. */
function after(...events: readonly (CapacityEvent | number)[]): { state: CapacityState | undefined; now: number } {
  let state: CapacityState | undefined;
  let now = 0;
  for (const event of events)
    if (typeof event === 'number') now += event * 1000;
    else state = afterCapacityEvent(state, event, now);
  return { state, now };
}
const may = (uid: string, { state, now }: ReturnType<typeof after>): string => mayAsk(state, { uid, now }).kind;
const ask = (uid: string): CapacityEvent => ({ kind: 'ask', uid });
const taken = (uid: string): CapacityEvent => ({ kind: 'taken', uid });

describe('capacity of one size', () => {
  it.each([
    { it: 'everybody may ask while nothing is known', world: after(), says: 'open' },
    { it: 'nobody may right after a refusal', world: after(refused('a')), says: 'wait' },
    { it: 'one may when it is time', world: after(refused('a'), 10), says: 'ask' },
    { it: 'but only one', world: after(refused('a'), 10, ask('other')), says: 'wait' },
    { it: 'one whose asker died may be asked again', world: after(refused('a'), 10, ask('other'), 61), says: 'ask' },
    { it: 'a refusal later each time', world: after(refused('a'), 10, refused('a'), 4), says: 'wait' },
    { it: 'a taken PUT lets two ask', world: after(refused('a'), 10, ask('a'), taken('a'), ask('c')), says: 'ask' },
    {
      it: 'and no third',
      world: after(refused('a'), 10, ask('a'), taken('a'), ask('c'), ask('d')),
      says: 'wait',
    },
    {
      it: 'where groups failed after their PUT was taken, a taken PUT shows nothing',
      world: after(refused('a', 'group'), 10, ask('a'), taken('a')),
      says: 'wait',
    },
    {
      it: 'and a group that came up does',
      world: after(refused('a', 'group'), 10, ask('a'), taken('a'), { kind: 'came-up', uid: 'a' }),
      says: 'ask',
    },
    {
      it: 'what a group of ours frees may be asked for at once',
      world: after(refused('a'), { kind: 'freed' }),
      says: 'ask',
    },
    {
      it: 'a question whose answer says nothing of room keeps nobody waiting',
      world: after(refused('a'), 10, ask('a'), { kind: 'released', uid: 'a' }),
      says: 'ask',
    },
    { it: 'what ARM said ten minutes ago is no longer asked about', world: after(refused('a'), 620), says: 'open' },
    {
      it: 'nor is who asked then',
      world: after(refused('a', 'group'), 10, ask('c'), { kind: 'came-up', uid: 'c' }, ask('d'), ask('e'), 605),
      says: 'open',
    },
  ])('$it', ({ world, says }) => expect(may('b', world)).toBe(says));

  it('is forgotten when five in a row were taken', () => {
    const events = ['a', 'b', 'c', 'd', 'e'].flatMap((uid) => [ask(uid), taken(uid)]);
    expect(after(refused('z'), 10, ...events.slice(0, 8)).state).toBeDefined();
    expect(after(refused('z'), 10, ...events).state).toBeUndefined();
  });

  it('is forgotten by whoever asks ten minutes later, and a refusal then is a first one', () => {
    expect(after(refused('a'), 620, ask('b')).state).toBeUndefined();
    expect(after(refused('a'), 20, refused('a'), 620).state).toMatchObject({ attempt: 1 });
    expect(after(refused('a'), 20, refused('a'), 700, refused('b')).state).toMatchObject({ attempt: 0 });
  });

  it('counts refusals that were under way together once', () => {
    expect(after(refused('a'), refused('b'), refused('c')).state).toMatchObject({ attempt: 0 });
  });

  it('lets one pod ask a minute at most, however many wait and whenever they do, while ARM refuses', () => {
    const tries = fc.array(fc.record({ pod: fc.nat(40), waitMs: fc.nat(5_000) }), { minLength: 200, maxLength: 600 });
    fc.assert(
      fc.property(tries, fc.double({ min: 0, max: 0.999, noNaN: true }), (all, random) => {
        let state: CapacityState | undefined;
        let now = 0;
        const puts: number[] = [];
        for (const { pod, waitMs } of all) {
          now += waitMs;
          const uid = String(pod);
          if (mayAsk(state, { uid, now }).kind === 'wait') continue;
          state = afterCapacityEvent(state, { kind: 'ask', uid }, now);
          state = afterCapacityEvent(state, { kind: 'refused', uid, seenAt: 'put', message: 'm', random }, now);
          puts.push(now);
        }
        // Five back-offs until the longest, then half of it between two at the least.
        expect(puts.length).toBeLessThanOrEqual(6 + now / 30_000);
      }),
    );
  });

  it.each([
    [1, 'any-1'],
    [1.01, 'any-2'],
    [4, 'any-4'],
    [31, 'any-31'],
  ])('a group of %d cores counts as %s', (cpu, size) => expect(capacityClass({ cpu, zone: undefined })).toBe(size));
  it('zones have room of their own', () => expect(capacityClass({ cpu: 1, zone: '2' })).toBe('2-1'));
});
