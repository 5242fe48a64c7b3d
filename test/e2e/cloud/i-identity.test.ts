/** What annotations ask of a group, and who may: from `attach --grants` to what ARM has. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emulatedIdentity } from '../../../infra/local/up/emulator.ts';
import { localWorkspace } from '../../../infra/local/up/settings.ts';
import { runCommand } from '../../../infra/local/up/command-line.ts';
import { readGroup } from './arm.ts';
import {
  apply,
  createNamespace,
  dir,
  evict,
  field,
  groupOf,
  output,
  phase,
  pod,
  record,
  removeNamespace,
  until,
} from './cloud.ts';
import type { PodOptions } from './cloud.ts';
import { settings } from './tables.ts';

const namespace = 'i-identity';
const v2 = 'microsoft.containerinstance.virtualnode.';
const place = {
  subscription: settings['AZURE_SUBSCRIPTION_ID'] ?? '',
  resourceGroup: settings['AZURE_RESOURCE_GROUP'] ?? '',
};
const identity = emulatedIdentity(place);
const [node = ''] = record.nodes;

/** As an operator does it, of a cluster that is attached. */
async function attachWithGrants(grants: readonly object[]): Promise<void> {
  const file = join(dir, 'grants.json');
  writeFileSync(file, JSON.stringify(grants));
  const address = await field('node', node, '{.status.addresses[?(@.type=="InternalIP")].address}');
  const where = ['--node-address', address, '--app-url', record.audience, '--auth', 'token', '--keep-chart'];
  await runCommand(
    { ...record, dir },
    ['attach', '--nodes', node, ...where, '--grants', file, '--wait', 'none'],
    () => {},
  );
}

const asBuilder = (name: string, annotations: Record<string, string>, more: PodOptions = {}): object =>
  pod(name, { namespace, annotations, ...more, spec: { serviceAccountName: 'builder', ...more.spec } });

const spot = { 'serverless-kubelet.io/priority': 'Spot', [`${v2}subnets.primary`]: 'none' };

/** What became of it, and why. */
const stateOf = async (name: string): Promise<string> =>
  `${await phase(name, namespace)} ${await field('pod', name, '{.status.message}', namespace)}`.trim();

async function runs(name: string): Promise<void> {
  const state = await until(
    `${name} runs`,
    () => stateOf(name),
    (seen) => /^(Running|Failed)/.test(seen),
    90_000,
  );
  expect(state).toBe('Running');
}

const groupNameOf = async (name: string): Promise<string> => (await groupOf(name, namespace))?.name ?? '';

describe('annotations of a pod', () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    await apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'builder', namespace } });
    await attachWithGrants([
      {
        namespace,
        serviceAccount: 'builder',
        identities: [identity],
        subnets: ['none'],
        logAnalytics: [localWorkspace],
      },
    ]);
  }, 120_000);

  afterAll(async () => {
    await removeNamespace(namespace);
    await attachWithGrants([]);
  });

  it('give a group identity, zone, workspace and tags, where a grant names what needs one', async () => {
    await apply(
      asBuilder('equipped', {
        [`${v2}identity`]: identity,
        [`${v2}zones`]: '1',
        [`${v2}customtags`]: 'cost-center=42',
        'serverless-kubelet.io/log-analytics': localWorkspace,
      }),
    );
    await runs('equipped');
    const group = await readGroup(await groupNameOf('equipped'));
    expect(group).toMatchObject({
      identity: { type: 'UserAssigned', userAssignedIdentities: { [identity]: { clientId: expect.any(String) } } },
      zones: ['1'],
      tags: { 'cost-center': '42', 'kubernetes-pod': 'equipped' },
      properties: { diagnostics: { logAnalytics: { workspaceId: expect.any(String) } } },
    });
    expect(JSON.stringify(group)).not.toContain(settings['LOCAL_WORKSPACE_KEY'] ?? 'no key');
  });

  it.each<[string, Record<string, string>, string, RegExp]>([
    [
      'nobody granted the ServiceAccount',
      { [`${v2}identity`]: identity },
      'default',
      /annotations\[microsoft\.containerinstance\.virtualnode\.identity\]: the ServiceAccount i-identity\/default is not granted .*attach --grants FILE/,
    ],
    ['is no zone', { [`${v2}zones`]: '4' }, 'builder', /annotations\[.*zones\]: expected one zone, .* such as "2"/],
    [
      'can not be in a subnet',
      { 'serverless-kubelet.io/priority': 'Spot' },
      'builder',
      /Spot groups can be in no subnet/,
    ],
  ])(
    'that %s fails the pod with the annotation, the rule and a way out',
    async (what, annotations, account, sentence) => {
      const name = `refused-${what.length}`;
      await apply(pod(name, { namespace, annotations, spec: { serviceAccountName: account } }));
      await until(
        `${name} is refused`,
        () => phase(name, namespace),
        (seen) => seen === 'Failed',
      );
      expect(await field('pod', name, '{.status.message}', namespace)).toMatch(sentence);
      expect(await groupOf(name, namespace)).toBeUndefined();
    },
  );

  it('make a group confidential', async () => {
    await apply(asBuilder('confidential', { [`${v2}ccepolicy`]: 'cGFja2FnZSBwb2xpY3k=' }));
    await runs('confidential');
    expect(await readGroup(await groupNameOf('confidential'))).toMatchObject({
      properties: { sku: 'Confidential', confidentialComputeProperties: { ccePolicy: 'cGFja2FnZSBwb2xpY3k=' } },
    });
  });

  it('take Spot capacity; when Azure takes it back, the pod has a new group and is told', async () => {
    await apply(asBuilder('spot', spot, { restartPolicy: 'Always' }));
    await runs('spot');
    const group = await groupNameOf('spot');
    const before = await readGroup(group);
    expect(before).toMatchObject({ properties: { priority: 'Spot' } });
    for (const member of ['ipAddress', 'subnetIds']) expect(before).not.toHaveProperty(`properties.${member}`);
    await evict(group);
    await until(
      'the pod is told',
      () =>
        output(
          'get',
          'events',
          '-n',
          namespace,
          '--field-selector',
          'involvedObject.name=spot',
          '-o',
          'jsonpath={.items[*].message}',
        ),
      (said) => said.includes('Azure took the Spot capacity of container group'),
      150_000,
    );
    await until(
      'it runs again',
      () =>
        field(
          'pod',
          'spot',
          '{.status.containerStatuses[0].state.running.startedAt} {.status.containerStatuses[0].restartCount}',
          namespace,
        ),
      (seen) => /^\d.* [1-9]/.test(seen),
      120_000,
    );
  }, 300_000);

  it('of Azure Workload Identity: the program finds a token of the API server for Azure', async () => {
    const read = 'cut -d. -f2 /var/run/secrets/azure/tokens/azure-identity-token';
    await apply(
      pod('federated', {
        namespace,
        labels: { 'azure.workload.identity/use': 'true' },
        command: ['sh', '-c', read],
        container: {
          volumeMounts: [{ name: 'azure-identity-token', mountPath: '/var/run/secrets/azure/tokens', readOnly: true }],
        },
        spec: {
          serviceAccountName: 'builder',
          volumes: [
            {
              name: 'azure-identity-token',
              projected: {
                sources: [
                  {
                    serviceAccountToken: {
                      audience: 'api://AzureADTokenExchange',
                      expirationSeconds: 3600,
                      path: 'azure-identity-token',
                    },
                  },
                ],
              },
            },
          ],
        },
      }),
    );
    await until(
      'it has read it',
      () => phase('federated', namespace),
      (seen) => seen === 'Succeeded',
      90_000,
    );
    const claims = Buffer.from((await output('logs', 'federated', '-n', namespace)).trim(), 'base64url').toString();
    expect(JSON.parse(claims)).toMatchObject({
      aud: ['api://AzureADTokenExchange'],
      sub: `system:serviceaccount:${namespace}:builder`,
    });
  });
});
