import { expect, it } from 'vitest';
import { refuseMeanwhile } from '../../../infra/cli/attach/meanwhile.ts';
import { parseRegistrations } from '../../../shared/wire/settings.ts';
import type { ClusterRegistration } from '../../../shared/wire/settings.ts';
import { clusterUid, registration } from '../../fixtures/settings.ts';
import { facts } from './attach-facts.ts';

const parsed = parseRegistrations(JSON.stringify({ clusters: [registration([{ name: 'a' }])] }));
const [bare] = parsed.ok ? parsed.clusters : [];
if (bare === undefined) throw new Error('no registration');
const services = { clusterCidr: '10.0.0.0/8', credential: 'services-a' } as const;
const dns = { nameServers: ['10.0.0.10'], domain: 'cluster.local', viaServices: true };
const planned: ClusterRegistration = { ...bare, dns, services };
const other = { ...bare, uid: facts.cluster.uid };

it.each<[string, readonly ClusterRegistration[], readonly ClusterRegistration[], RegExp]>([
  ['nothing', [planned], [planned], /goes on/],
  ['a first attach', [], [bare], /goes on/],
  ['another node', [planned], [{ ...planned, nodes: [] }], /goes on/],
  ['another cluster', [planned], [planned, { ...other, services }], /goes on/],
  ['a rotation', [planned], [{ ...planned, services: { ...services, credential: 'services-b' } }], /meanwhile/],
  ['Services off', [planned], [bare], /meanwhile/],
  ['Services on', [], [planned], /meanwhile/],
  ['another name server', [planned], [{ ...planned, dns: { ...dns, nameServers: ['10.0.0.11'] } }], /meanwhile/],
  ['what somebody turned off', [bare], [{ ...bare, declined: ['services'] }], /meanwhile/],
  ['a detach', [planned], [], /meanwhile/],
])('attach stops when the plan is of former registrations: %s', (_, registered, fresh, outcome) => {
  const run = (): string => {
    try {
      refuseMeanwhile({ registered, cluster: { ...facts.cluster, uid: clusterUid } }, fresh);
      return 'goes on';
    } catch (error) {
      return String(error);
    }
  };
  expect(run()).toMatch(outcome);
});
