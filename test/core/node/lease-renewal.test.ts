import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../shared/core/kubernetes/node.ts';
import { leaseRenewal } from '../../../shared/core/node/lease-renewal.ts';

describe('the Lease', () => {
  const base = { nodeName: 'aci-1', nodeUid: 'u', serverNow: 1_000_000, minimumAgeMs: 5_000 };
  const lease: Lease = {
    resourceVersion: '7',
    name: 'aci-1',
    ownerUid: 'u',
    holderIdentity: 'aci-1',
    leaseDurationSeconds: 40,
    renewTimeMicros: 990_000_000,
  };
  const renewed = { ...lease, renewTimeMicros: 1_000_000_000 };
  it.each([
    [
      'is created with the Node as its owner',
      undefined,
      'create',
      {
        name: 'aci-1',
        ownerUid: 'u',
        holderIdentity: 'aci-1',
        leaseDurationSeconds: 40,
        renewTimeMicros: 1_000_000_000,
      },
    ],
    ["is renewed to the API server's time", lease, 'update', renewed],
    [
      'is kept when somebody renewed it a moment ago',
      { ...lease, renewTimeMicros: 996_000_000 },
      'keep',
      { ...lease, renewTimeMicros: 996_000_000 },
    ],
    [
      'is kept when it is a moment ahead',
      { ...lease, renewTimeMicros: 1_001_000_000 },
      'keep',
      { ...lease, renewTimeMicros: 1_001_000_000 },
    ],
    [
      'moves by the least when a wrong clock put it far ahead',
      { ...lease, renewTimeMicros: 9_000_000_000 },
      'update',
      { ...lease, renewTimeMicros: 9_000_000_001 },
    ],
    [
      'gets the new Node as its owner at once',
      { ...lease, ownerUid: 'old', renewTimeMicros: 999_000_000 },
      'update',
      renewed,
    ],
    [
      'gets its holder back at once, when somebody else put himself there',
      { ...lease, holderIdentity: 'other', renewTimeMicros: 999_000_000 },
      'update',
      renewed,
    ],
    ['is renewed when it never was', { ...lease, holderIdentity: '', renewTimeMicros: 0 }, 'update', renewed],
    [
      'does not go back when it gets a new owner',
      { ...lease, ownerUid: 'old', renewTimeMicros: 1_001_000_000 },
      'update',
      { ...lease, renewTimeMicros: 1_001_000_000 },
    ],
  ])('%s', (_, before, kind, after) => {
    expect(leaseRenewal({ ...base, lease: before })).toEqual({ kind, lease: after });
  });

  it('only moves forward and never ahead of the API server, whoever renews it and in whatever order', () => {
    const renewals = fc.array(
      fc.record({ elapsed: fc.nat(60_000), behind: fc.nat(1_000), minimumAgeMs: fc.nat(10_000) }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(renewals, (steps) => {
        let serverNow = 1_700_000_000_000;
        let current: Lease | undefined;
        for (const { elapsed, behind, minimumAgeMs } of steps) {
          serverNow += elapsed;
          const { kind, lease } = leaseRenewal({
            ...base,
            serverNow: serverNow - behind,
            minimumAgeMs,
            lease: current,
          });
          expect(lease.renewTimeMicros).toBeLessThanOrEqual(serverNow * 1000);
          const hasMoved = lease.renewTimeMicros > (current?.renewTimeMicros ?? 0);
          expect(hasMoved).toBe(kind !== 'keep');
          current = lease;
        }
      }),
    );
  });
});
