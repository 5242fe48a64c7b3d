import { describe, expect, it } from 'vitest';
import { podOf, rawContainer, resolved, translated } from './fixtures.ts';
import type { Raw } from './fixtures.ts';

/** As the webhook of Azure Workload Identity changes a pod. */
const injected = (audience: string): Raw => ({
  volumes: [
    {
      name: 'azure-identity-token',
      projected: {
        defaultMode: 420,
        sources: [{ serviceAccountToken: { audience, expirationSeconds: 3600, path: 'azure-identity-token' } }],
      },
    },
  ],
  containers: [
    rawContainer({
      env: [
        { name: 'AZURE_CLIENT_ID', value: '00000000-0000-4000-8000-000000000003' },
        { name: 'AZURE_FEDERATED_TOKEN_FILE', value: '/var/run/secrets/azure/tokens/azure-identity-token' },
      ],
      volumeMounts: [{ name: 'azure-identity-token', mountPath: '/var/run/secrets/azure/tokens', readOnly: true }],
    }),
  ],
});

const use = { labels: { 'azure.workload.identity/use': 'true' } };
const exchange = 'api://AzureADTokenExchange';

describe('a pod of Azure Workload Identity', () => {
  it('finds its token where its variable says', () => {
    const references = resolved({ tokens: [{ value: 'federated', lifetimeSeconds: 86_400 }] });
    const { body } = translated(podOf(injected(exchange), use), references);
    expect(body.volumes).toEqual([
      {
        name: 'azure-identity-token',
        secret: { 'azure-identity-token': Buffer.from('federated').toString('base64') },
      },
    ]);
    expect(body.containers[0]).toMatchObject({
      volumeMounts: [{ mountPath: '/var/run/secrets/azure/tokens' }],
      environmentVariables: expect.arrayContaining([
        { name: 'AZURE_FEDERATED_TOKEN_FILE', value: '/var/run/secrets/azure/tokens/azure-identity-token' },
      ]),
    });
  });

  it.each<[string, Raw, Raw, number, readonly string[]]>([
    ['that the webhook did not change is warned of', {}, use, 3600, ['WorkloadIdentityNotInjected']],
    ['with a token for somebody else is warned of', injected('vault'), use, 1e9, ['WorkloadIdentityNotInjected']],
    ['with its token for long is not', injected(exchange), use, 1e9, []],
    ['that does not ask for it is not', {}, { labels: { 'azure.workload.identity/use': 'false' } }, 3600, []],
  ])('%s', (_, ...[spec, metadata, lifetimeSeconds, reasons]) => {
    const references = resolved({ tokens: [{ value: 't', lifetimeSeconds }] });
    expect(translated(podOf(spec, metadata), references).notices.map(({ reason }) => reason)).toEqual(reasons);
  });

  it.each([
    ['an hour', 3600, '; annotation azure.workload.identity/service-account-token-expiration: "86400" asks for a day'],
    ['a day, the most', 86_400, ''],
  ])('with a token for %s is told how to get a longer one', (_, lifetimeSeconds, advice) => {
    const references = resolved({ tokens: [{ value: 't', lifetimeSeconds }] });
    const [notice] = translated(podOf(injected(exchange), use), references).notices;
    expect(notice?.message.split('after the group was created')[1]).toBe(advice);
  });
});
