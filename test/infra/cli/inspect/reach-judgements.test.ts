import { describe, expect, it } from 'vitest';
import type { Check } from '../../../../infra/cli/inspect/check.ts';
import { read, unreadable } from '../../../../infra/cli/inspect/observed.ts';
import type { Part } from '../../../../infra/cli/inspect/observed.ts';
import { judgeCredential, judgeDns, judgeFormerCredentials } from '../../../../infra/cli/inspect/reach-judgements.ts';
import type { DnsFacts, HeldCredential } from '../../../../infra/cli/inspect/reach-judgements.ts';
import type { SecretSeen } from '../../../../infra/cli/inspect/services-secrets.ts';

const registered = { nameServers: ['10.0.0.10'], domain: 'cluster.local', viaServices: true };
const balanced = { ...registered, nameServers: ['10.240.0.99'], viaServices: false };
const dns = (facts: Partial<DnsFacts>, of = registered): Check =>
  judgeDns('c', of, { service: read({ name: 'kube-dns', address: '10.0.0.10' }), ready: read(2), ...facts });

const services = { clusterCidr: '10.0.0.0/8', credential: 'services-a' } as const;
const secret = (name: SecretSeen['name'], changes: Partial<SecretSeen> = {}): SecretSeen => ({
  name,
  uid: `uid-${name}`,
  hasToken: true,
  createdMs: 0,
  ...changes,
});
const [a, b] = [secret('services-a'), secret('services-b')];
const credential = (...secrets: readonly SecretSeen[]): Check => judgeCredential('c', services, read(secrets));
const held = (credential: string, pod = 'shop/web'): HeldCredential => ({ credential, pod });
const former = (
  secrets: readonly SecretSeen[],
  groups: Part<readonly HeldCredential[]>,
  of: typeof services | 'none' = services,
): Check =>
  judgeFormerCredentials('c', of === 'none' ? undefined : of, { secrets: read(secrets), held: groups }) ?? none;
const none: Check = { name: 'c', verdict: 'ok', found: 'no check' };
const many = ['f', 'a', 'b', 'c', 'd', 'e'].map((name) => held('services-a/gone', `shop/${name}`));

describe('how pods reach the cluster is judged', () => {
  it.each<[Check, Check['verdict'], RegExp]>([
    [dns({}), 'ok', /^Pods ask 10\.0\.0\.10 for names: the Service kube-dns with 2 ready back ends\.$/],
    [dns({ ready: unreadable('no') }), 'ok', /the Service kube-dns\.$/],
    [dns({ service: unreadable('You may not.') }), 'skipped', /You may not/],
    [dns({ service: read(undefined) }), 'failed', /no Service kube-dns/],
    [
      dns({ service: read({ name: 'kube-dns', address: '10.0.0.11' }) }),
      'failed',
      /ask 10\.0\.0\.10 .* is at 10\.0\.0\.11/,
    ],
    [dns({ ready: read(0) }), 'failed', /no ready back end/],
    [dns({}, balanced), 'ok', /not known from here/],
    [dns({ service: read(undefined) }, balanced), 'ok', /not known from here/],
    [dns({ ready: read(0) }, balanced), 'failed', /no ready back end/],
    [credential(a), 'ok', /with the token of services-a/],
    [credential(b), 'failed', /no Secret services-a: new pods wait/],
    [credential(secret('services-a', { hasToken: false })), 'failed', /services-a has no token/],
    [judgeCredential('c', services, unreadable('You may not.')), 'skipped', /You may not/],
    [former([a], read([])), 'ok', /no check/],
    [former([a], read([held('services-a/uid-services-a')])), 'ok', /no check/],
    [former([a, b], read([held('services-b/uid-services-b')])), 'ok', /no check/],
    [
      former([a, b], read([held('services-a/uid-services-a')])),
      'warning',
      /No container group has the token of services-b/,
    ],
    [former([a], read([]), 'none'), 'warning', /the token of services-a/],
    [
      former([a], read([held('services-a/other')])),
      'failed',
      /of 1 container group \(shop\/web\) is good no more: its Secret is gone/,
    ],
    [
      former([a], read(many)),
      'failed',
      /6 container groups \(shop\/a, shop\/b, shop\/c, shop\/d, shop\/e and 1 more\)/,
    ],
    [former([a, b], unreadable('ARM does not answer.')), 'ok', /no check/],
  ])('%j', (check, verdict, found) => {
    expect(check).toMatchObject({ verdict, found: expect.stringMatching(found) });
    expect(check.fix !== undefined).toBe(verdict === 'failed' || verdict === 'warning');
  });
});
