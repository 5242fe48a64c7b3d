import { describe, expect, it } from 'vitest';
import { planRenewal, nextReadInMs, renewed, startRenewal } from '../../infra/cluster/relay/leases/renewal-plan.ts';
import type { RenewalActions, LeaseReading } from '../../infra/cluster/relay/leases/renewal-plan.ts';

/** A world in virtual time: who renews, who is there, at each second. */
interface World {
  readonly appRenews?: (second: number) => boolean;
  readonly node?: (second: number) => LeaseReading['node'];
  readonly lease?: (second: number) => 'present' | 'absent' | 'unknown';
  readonly seconds: number;
}

/** Plans a renewal whenever it is time, and says what it did, and when. */
function live({ appRenews = () => false, node = () => 'present', lease = () => 'present', seconds }: World) {
  let micros = 1;
  let state = startRenewal(0);
  const did: { readonly at: number; readonly action: keyof RenewalActions }[] = [];
  let nextAt = 0;
  for (let now = 0; now <= seconds * 1000; now += 100) {
    const second = now / 1000;
    if (Number.isInteger(second) && appRenews(second)) micros += 1000;
    if (now < nextAt) continue;
    const there = lease(second);
    const reading = { node: node(second), lease: there === 'present' ? { renewTimeMicros: micros } : there };
    const { state: after, actions } = planRenewal(state, reading, now);
    state = after;
    for (const action of ['tick', 'renew', 'announce'] as const) if (actions[action]) did.push({ at: second, action });
    if (actions.renew) {
      micros += 1000;
      state = renewed(state, micros);
    }
    nextAt = now + nextReadInMs(state, now);
  }
  const at = (action: keyof RenewalActions) => did.filter((one) => one.action === action).map((one) => one.at);
  return { ticks: at('tick'), renewals: at('renew'), announcements: at('announce') };
}

const every = (period: number) => (second: number) => second % period === 0;

describe('a Lease that the app renews', () => {
  it('every 15 s needs nobody else', () => {
    expect(live({ appRenews: every(15), seconds: 3600 })).toEqual({ ticks: [], renewals: [], announcements: [] });
  });
  it('every 25 s: the app is called each time, the relay never renews', () => {
    const { ticks, renewals } = live({ appRenews: every(25), seconds: 300 });
    expect(ticks.length).toBeGreaterThan(5);
    expect(renewals).toEqual([]);
  });
});

describe('a Lease that is not renewed', () => {
  it('calls the app after 20 s and is renewed after 30 s, before its 40 s are over', () => {
    const { ticks, renewals, announcements } = live({ seconds: 31 });
    expect(ticks).toEqual([20, 30]);
    expect(renewals).toEqual([30]);
    expect(announcements).toEqual([30]);
  });
  it('is renewed in time also when the app died just after a renewal that was seen late', () => {
    const { renewals } = live({ appRenews: (second) => second === 1, seconds: 60 });
    expect(renewals[0]).toBeLessThanOrEqual(36);
  });
  it('is renewed every 10 to 15 s, for 10 minutes and no longer, with one announcement', () => {
    const { renewals, announcements, ticks } = live({ seconds: 3600 });
    expect(announcements).toHaveLength(1);
    const gaps = renewals.slice(1).map((at, index) => at - (renewals[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(15);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(10);
    expect((renewals.at(-1) ?? 0) - (renewals[0] ?? 0)).toBeGreaterThan(580);
    expect((renewals.at(-1) ?? 0) - (renewals[0] ?? 0)).toBeLessThanOrEqual(600);
    expect(ticks.at(-1)).toBeGreaterThan(3580);
  });
  it('is left alone as soon as the app renews again, and a second silence counts anew', () => {
    const silent = (second: number) => (second >= 60 && second < 120) || second >= 700;
    const world = live({ appRenews: (second) => !silent(second) && every(10)(second), seconds: 800 });
    expect(world.renewals.every(silent)).toBe(true);
    expect(world.announcements).toHaveLength(2);
  });
  it('is not renewed while its Node is gone, though the app is called', () => {
    const { ticks, renewals } = live({ node: () => 'absent', seconds: 60 });
    expect(ticks[0]).toBe(0);
    expect(renewals).toEqual([]);
  });
  it.each([['absent'], ['unknown']] as const)('is not renewed while it is %s', (lease) => {
    expect(live({ lease: () => lease, seconds: 600 }).renewals).toEqual([]);
  });
  it('is not renewed while nobody knows whether its Node is there', () => {
    expect(live({ node: () => 'unknown', seconds: 600 }).renewals).toEqual([]);
  });
});

describe('what could not be read', () => {
  it('causes nothing by itself', () => {
    const world = live({ node: () => 'unknown', lease: () => 'unknown', seconds: 600 });
    expect(world).toEqual({ ticks: [], renewals: [], announcements: [] });
  });
  it('a server that was away for a minute: the app is called first, and has 10 s', () => {
    const away = (second: number) => second >= 30 && second < 90;
    const { ticks, renewals } = live({
      appRenews: (second) => every(15)(second) && !away(second) && second < 90,
      lease: (second) => (away(second) ? 'unknown' : 'present'),
      seconds: 120,
    });
    expect(ticks[0]).toBeGreaterThanOrEqual(90);
    expect((renewals[0] ?? 0) - (ticks[0] ?? 0)).toBeGreaterThanOrEqual(10);
  });
});

describe('a Node that is gone while its Lease is renewed', () => {
  it('calls the app within 5 s, every 10 s, until it is back', () => {
    const gone = (second: number) => second >= 31 && second < 62;
    const { ticks, renewals } = live({
      appRenews: every(10),
      node: (second) => (gone(second) ? 'absent' : 'present'),
      seconds: 120,
    });
    expect(ticks[0]).toBeLessThanOrEqual(36);
    expect(ticks).toHaveLength(3);
    expect(renewals).toEqual([]);
  });
});
