import { isIP } from 'node:net';
import { describe, expect, it } from 'vitest';
import { addressOf, ownIdentity } from '../../infra/cluster/relay/election/identity.ts';

describe('who a replica is', () => {
  it('is another each time, and says where others reach it', () => {
    expect(ownIdentity()).not.toBe(ownIdentity());
    const address = addressOf(ownIdentity());
    expect(address === undefined || isIP(address) !== 0).toBe(true);
  });

  it.each([
    ['relay-5bd657ff6d-k65j8_0b9f7a53-24a4-4b6e-8a5e-3f6f1c2d9e10_10.1.2.3', '10.1.2.3'],
    ['relay-5bd657ff6d-k65j8_0b9f7a53-24a4-4b6e-8a5e-3f6f1c2d9e10_fd00::7', 'fd00::7'],
    // Of a version before, and of a machine without a network.
    ['relay-5bd657ff6d-k65j8_0b9f7a53-24a4-4b6e-8a5e-3f6f1c2d9e10', undefined],
    ['vm_0b9f7a53-24a4-4b6e-8a5e-3f6f1c2d9e10_unreachable', undefined],
    ['', undefined],
  ])('%s: %s', (identity, address) => expect(addressOf(identity)).toBe(address));
});
