import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../shared/core/fault.ts';
import { askedMark, isHeldBack, isRefusal, nextRefusal } from '../../../shared/core/node/node-refusal.ts';
import type { NodeRefusal } from '../../../shared/core/node/node-refusal.ts';
import { spec } from './nodes.ts';

describe('what the API server refused', () => {
  const asked = askedMark({ labels: { pool: 'a b' } });
  const denied = (message: string): Fault => ({ kind: 'denied', code: 'Forbidden', message });
  const first = nextRefusal(undefined, { asked, fault: denied('no'), now: 1_000, random: 1 });

  it.each([
    ['denied', true],
    ['rejected', true],
    ['conflict', false],
    ['not-found', false],
  ] as const)('%s is a refusal: %s', (kind, is) => {
    expect(isRefusal({ kind, code: 'c', message: 'm' })).toBe(is);
  });

  it('is reported when it is new, asked for otherwise, or answered otherwise; not for the id of a request', () => {
    const next = (changes: { asked?: string; fault?: Fault }): boolean =>
      nextRefusal(first.refusal, { asked, fault: denied('no'), now: 40_000, random: 1, ...changes }).isNew;
    expect(first.isNew).toBe(true);
    expect(next({})).toBe(false);
    expect(next({ asked: askedMark({ labels: { pool: 'a' } }) })).toBe(true);
    expect(next({ fault: denied('never') })).toBe(true);
    const webhook = (id: string): Fault => denied(`denied the request: (UID: ${id}) no`);
    const once = nextRefusal(undefined, { asked, fault: webhook(spec.cluster), now: 0, random: 0 });
    const again = { asked, fault: webhook('99999999-2222-3333-4444-555555555555'), now: 0, random: 0 };
    expect(nextRefusal(once.refusal, again).isNew).toBe(false);
  });

  it('is held back for 30 s, then twice as long, ten minutes at most; another wish is not', () => {
    expect(isHeldBack(first.refusal, asked, 30_999)).toBe(true);
    expect(isHeldBack(first.refusal, asked, 31_000)).toBe(false);
    expect(isHeldBack(first.refusal, askedMark({}), 1_001)).toBe(false);
    expect(isHeldBack(undefined, asked, 0)).toBe(false);
    const waits: number[] = [];
    let refusal: NodeRefusal | undefined;
    for (let time = 0; time < 7; time += 1) {
      ({ refusal } = nextRefusal(refusal, { asked, fault: denied('no'), now: 0, random: 1 }));
      waits.push(refusal.retryAt / 1000);
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 600, 600]);
    const other = nextRefusal(refusal, { asked: askedMark({}), fault: denied('no'), now: 0, random: 1 });
    expect(other.refusal.retryAt).toBe(30_000);
  });
});
