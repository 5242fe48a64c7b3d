import { assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatLease, parseLease } from '../../../shared/wire/kubernetes/lease.ts';
import { formatMicroTime, parseMicroTime } from '../../../shared/wire/kubernetes/micro-time.ts';

describe('MicroTime', () => {
  it('has exactly six decimals and comes back as it went', () => {
    assert(
      property(integer({ min: 0, max: 4_000_000_000_000_000 }), (micros) => {
        const text = formatMicroTime(micros);
        expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
        expect(parseMicroTime(text)).toBe(micros);
      }),
    );
  });

  it.each([
    ['2026-11-23T05:00:00.000001Z', 1],
    ['2026-11-23T05:00:00Z', 0],
    ['2026-11-23T05:00:00.5Z', 500_000],
    ['2026-11-23T05:00:00.123456789Z', 123_456],
    ['2026-11-23T06:00:00.000002+01:00', 2],
  ])('%s is read', (text, micros) => {
    expect(parseMicroTime(text)).toBe(Date.parse('2026-11-23T05:00:00Z') * 1000 + micros);
  });

  it.each(['', 'now', '2026-11-23', '2026-13-23T05:00:00Z', '2026-11-23T05:00:00', '-3'])('"%s" is not', (text) => {
    expect(parseMicroTime(text)).toBeUndefined();
  });
});

it('a Lease survives the wire', () => {
  const lease = {
    resourceVersion: '5',
    name: 'aci-1',
    ownerUid: 'u',
    holderIdentity: 'aci-1',
    leaseDurationSeconds: 40,
    renewTimeMicros: 1_795_410_000_123_456,
  };
  const answered = formatLease(lease);
  expect(parseLease({ ...answered, metadata: { ...Object(answered['metadata']), uid: 'l' } })).toStrictEqual(lease);
});
