import { describe, expect, it } from 'vitest';
import { changeRegistrations } from '../../../infra/cli/registrations.ts';
import { createMemoryRegistrations } from '../../../infra/local/sim/memory-registrations.ts';
import { parseRegistrations } from '../../../shared/wire/settings.ts';
import type { ClusterRegistration } from '../../../shared/wire/settings.ts';
import { registration } from '../../fixtures/settings.ts';

const { signal } = new AbortController();
const parsed = parseRegistrations(JSON.stringify({ clusters: [registration([{ name: 'a' }])] }));
const [good] = parsed.ok ? parsed.clusters : [];
if (good === undefined) throw new Error('no registration');
const dns = { nameServers: ['10.0.0.10'], domain: 'corp.test', viaServices: false };

describe('a change of the registrations', () => {
  it.each<[string, Partial<ClusterRegistration>, RegExp]>([
    [
      'a domain that is no name',
      { dns: { ...dns, domain: '{$CLUSTER_DOMAIN}' } },
      /not written: clusters\[0\]\.dns\.domain: the cluster's domain/,
    ],
    ['a ClusterIP without Services', { dns: { ...dns, viaServices: true } }, /clusters\[0\]\.dns\.viaServices: false/],
    ['no node', { nodes: [] }, /clusters\[0\]\.nodes: at least one node/],
  ])('that nobody could read is not written: %s', async (_, changed, fault) => {
    const registrations = createMemoryRegistrations();
    expect(await changeRegistrations(registrations, () => [good], signal)).toBe(true);
    await expect(changeRegistrations(registrations, () => [{ ...good, ...changed }], signal)).rejects.toThrow(fault);
    expect(await registrations.get(undefined, signal)).toMatchObject({ ok: true, value: { clusters: [good] } });
  });
});
