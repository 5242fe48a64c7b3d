import { describe, expect, it } from 'vitest';
import { doctorBy } from '../../../../infra/cli/doctor/command.ts';
import containerGroups from '../../../../infra/azure/roles/container-groups.json' with { type: 'json' };
import identityAssign from '../../../../infra/azure/roles/identity-assign.json' with { type: 'json' };
import subscriptionReader from '../../../../infra/azure/roles/subscription-reader.json' with { type: 'json' };
import { groupTags, tagNames } from '../../../../shared/core/group/identity.ts';
import { groupBody } from '../../../fixtures/group-body.ts';
import { fail } from '../../../../shared/core/fault.ts';
import { newNodeRow } from '../../../../shared/core/reconcile/node-row.ts';
import { createWorld } from '../../../app/world.ts';
import { registration } from '../../../fixtures/settings.ts';
import type { World } from '../../../app/world.ts';
import { runOver } from '../status/world-context.ts';
import type { Surroundings } from '../status/world-context.ts';
import { defined } from '../../../../shared/core/defined.ts';

const subscription = '/subscriptions/00000000-0000-4000-8000-000000000000';
const source = { kind: 'azure', app: 'kubelet', resourceGroup: 'apps', subscription: undefined } as const;
/** As az shows what a role leaves out. */
const permission = { notActions: [], dataActions: null, notDataActions: null };

/** Azure and a cluster as they should be. */
const healthy: Surroundings = {
  source,
  az: {
    'account show': { id: 'x', state: 'Enabled', user: { name: 'me@example.com' } },
    'functionapp show': { state: 'Running', identity: { principalId: 'p-1' } },
    'role assignment list': [
      { roleDefinitionName: 'groups', roleDefinitionId: '/r/1', scope: `${subscription}/resourceGroups/pods` },
      { roleDefinitionName: 'reader', roleDefinitionId: '/r/2', scope: subscription },
    ],
    [`role definition list --name 1 --scope ${subscription}/resourceGroups/pods `]: [
      { permissions: [{ ...permission, actions: containerGroups.actions }] },
    ],
    [`role definition list --name 2 --scope ${subscription} `]: [
      { permissions: [{ ...permission, actions: subscriptionReader.actions }] },
    ],
    'provider show': { registrationState: 'Registered' },
  },
  paths: {
    '/version': { gitVersion: 'v1.36.3' },
    '/apis/apps/v1/namespaces/kube-system/deployments/relay': {
      metadata: { labels: { 'helm.sh/chart': 'serverless-kubelet-0.1.0' } },
      spec: { replicas: 2 },
      status: { readyReplicas: 2 },
    },
    '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/relay': {
      metadata: { name: 'relay', uid: 'u-relay', resourceVersion: '1' },
      spec: { holderIdentity: 'relay-a' },
    },
    '/api/v1/namespaces/kube-system/services/relay': { spec: { clusterIP: '10.0.0.7', ports: [{ port: 10_250 }] } },
    '/apis/admissionregistration.k8s.io': { versions: [{ version: 'v1' }] },
    '/apis/admissionregistration.k8s.io/v1': {
      resources: [{ name: 'validatingadmissionpolicies' }, { name: 'mutatingadmissionpolicies' }],
    },
    '/api/v1/nodes/aci-1/proxy/healthz': 'ok',
    '/api/v1/pods?fieldSelector=spec.nodeName%3Daci-1%2Cstatus.phase%3DRunning&limit=20': {
      items: [
        {
          metadata: { name: 'web', namespace: 'prod' },
          status: { containerStatuses: [{ name: 'main', state: { running: {} } }] },
        },
      ],
    },
    '/api/v1/nodes/aci-1/proxy/sessionDial/prod/web/main': { app: { reached: true }, relay: { reached: true } },
  },
};

interface Told {
  readonly name: string;
  readonly verdict: string;
  readonly found: string;
}

const doctor = doctorBy(() => Promise.resolve({ facts: { at: 'answered', status: 401 }, aheadSeconds: 1 }));

/** All checks but that of the clocks: the world's is not this machine's. */
async function checks(world: World, around: Surroundings, args: readonly string[] = []): Promise<readonly Told[]> {
  const shown = await runOver(world, doctor, ['--output', 'json', ...args], around);
  const { checks } = JSON.parse(shown.stdout) as { checks: Told[] };
  return checks.filter(({ name }) => name !== 'clocks');
}

const withPodsWay = (apiServerForPods: object): string =>
  JSON.stringify([{ ...registration([{ name: 'aci-1' }]), apiServerForPods }]);

describe('doctor over a world', () => {
  it('goes through everything in its order, and finds nothing to fix', async () => {
    const world = await createWorld({ settings: { CLUSTERS: withPodsWay({ host: 'api.example', port: 443 }) } });
    await world.beat();
    const reported = await checks(world, healthy);
    expect(reported.map(({ name, verdict }) => `${verdict} ${name}`)).toEqual([
      'ok az login',
      'ok settings',
      'ok body limit',
      'ok function app',
      'ok identity',
      'ok role: container groups',
      'ok role: subscription reader',
      'skipped role: storage',
      'ok resource provider',
      'ok resource group',
      'ok quota of container groups',
      'ok quota of cores',
      'ok tables',
      'ok registrations',
      'skipped probe',
      'ok prod: API server',
      'ok prod: API server for pods',
      'ok prod: UID',
      'ok prod: version',
      "skipped prod: the app's rights",
      'ok prod: relay',
      "ok prod: relay's leader",
      'ok prod: address of aci-1',
      'ok prod: chart',
      'ok prod: admission policies',
      'ok prod: node aci-1',
      'ok prod: node aci-1: Lease',
      'ok prod: node aci-1: release',
      'ok prod: node aci-1: kubelet port',
      'ok prod: node aci-1: sessions: relay',
      'ok prod: node aci-1: sessions: app',
    ]);
  });

  it('looks at what grants and registries need: in which subscription it is, too', async () => {
    const elsewhere = '/subscriptions/00000000-0000-4000-8000-000000000009';
    const identities = `${elsewhere}/resourceGroups/team-a/providers/Microsoft.ManagedIdentity/userAssignedIdentities`;
    const grants = [{ namespace: 'team-a', identities: [`${identities}/reports`, `${identities}/billing`] }];
    const world = await createWorld({
      settings: {
        CLUSTERS: JSON.stringify([{ ...registration([{ name: 'aci-1' }]), grants }]),
        REGISTRY_PULL_IDENTITIES: JSON.stringify({ 'prodimages.azurecr.io': `${identities}/pull` }),
      },
    });
    const there = [{ roleDefinitionName: 'assign', roleDefinitionId: '/r/3', scope: `${identities}/reports` }];
    const az = {
      [`role assignment list --assignee p-1 --all --include-inherited --subscription ${elsewhere.split('/')[2]}`]:
        there,
      [`role definition list --name 3 --scope ${identities}/reports `]: [
        { permissions: [{ ...permission, actions: identityAssign.actions }] },
      ],
      ...healthy.az,
    };
    const reported = await checks(world, { ...healthy, az });
    const asked = reported.filter(({ name }) => /identity |registry pull|grants/.test(name));
    expect(asked.map(({ name, verdict }) => `${verdict} ${name}`)).toEqual([
      'failed role: identity pull',
      'warning registry pull',
      'ok prod: grants',
      'ok role: identity reports',
      'failed role: identity billing',
    ]);
  });

  it('names what is broken, and goes on', async () => {
    const world = await createWorld();
    const az = { ...healthy.az, 'role assignment list': [], 'provider show': { registrationState: 'NotRegistered' } };
    const reported = await checks(world, { ...healthy, az, paths: { '/version': { gitVersion: 'v1.28.1' } } });
    expect(reported.filter(({ verdict }) => verdict === 'failed').map(({ name }) => name)).toEqual([
      'role: container groups',
      'role: subscription reader',
      'resource provider',
      'prod: version',
      'prod: relay',
      "prod: relay's leader",
      'prod: address of aci-1',
      'prod: node aci-1',
      'prod: node aci-1: Lease',
    ]);
  });

  it('asks where pods reach the API server by that very name, and says what is wrong with it', async () => {
    const urls: string[] = [];
    const asking = doctorBy((url) => {
      urls.push(url);
      const isPodsWay = url.startsWith('https://pods.example');
      return Promise.resolve({
        facts: isPodsWay ? { at: 'tls', reason: 'ERR_TLS_CERT_ALTNAME_INVALID' } : { at: 'answered', status: 401 },
      });
    });
    const world = await createWorld({ settings: { CLUSTERS: withPodsWay({ host: 'pods.example', port: 6443 }) } });
    const shown = await runOver(world, asking, ['--output', 'json'], healthy);
    expect(urls).toContain('https://pods.example:6443/version');
    expect(JSON.parse(shown.stdout).checks).toContainEqual({
      name: 'prod: API server for pods',
      verdict: 'failed',
      found: 'The certificate of pods.example:6443 does not name pods.example: clients in pods refuse it.',
      fix: expect.stringContaining('--api-server-for-pods HOST[:PORT]'),
    });
  });

  it('looks at how pods reach names and Services, where the registration says so', async () => {
    const reach = {
      dns: { nameServers: ['10.0.0.10'], domain: 'cluster.local', viaServices: true },
      services: { clusterCidr: '10.240.0.0/16', credential: 'services-a' },
    };
    const world = await createWorld({
      settings: { CLUSTERS: JSON.stringify([{ ...registration([{ name: 'aci-1' }]), ...reach }]) },
    });
    const secret = (uid: string, token: string) => ({ metadata: { uid }, data: { token } });
    const slices =
      '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dkube-dns';
    const around = (changes: NonNullable<Surroundings['paths']>): Surroundings => ({
      ...healthy,
      paths: {
        ...healthy.paths,
        '/api/v1/namespaces/kube-system/services/kube-dns': {
          metadata: { name: 'kube-dns' },
          spec: { clusterIP: '10.0.0.10' },
        },
        [slices]: { items: [{ endpoints: [{ conditions: { ready: true } }] }] },
        '/apis/authorization.k8s.io/v1/subjectaccessreviews': {
          kind: 'SubjectAccessReview',
          status: { allowed: true },
        },
        '/api/v1/namespaces/kube-system/secrets/services-a': secret('u-a', 'dG9rZW4='),
        ...changes,
      },
    });
    // Of another cluster: what it has is none of this one's.
    const owner = { installation: 'sk', cluster: 'other', node: 'n', namespace: 'shop', name: 'web', uid: 'u' };
    const tags = { ...groupTags(owner, 'hash'), [tagNames.services]: 'services-b/u-b' };
    await world.groups.createOrUpdate('web', groupBody({ tags }), new AbortController().signal);
    const told = async (changes: NonNullable<Surroundings['paths']>): Promise<readonly string[]> =>
      (await checks(world, around(changes)))
        .filter(({ name }) => /DNS of pods|Services|former/.test(name))
        .map(({ name, verdict, found }) => `${verdict} ${name}: ${found}`);
    expect(await told({})).toEqual([
      'ok prod: DNS of pods: Pods ask 10.0.0.10 for names: the Service kube-dns with 1 ready back ends.',
      'ok prod: Services of pods: Pods reach Services with the token of services-a.',
      'ok prod: rights for Services: The account services has its 8 rights.',
    ]);
    expect(
      await told({
        [slices]: { items: [] },
        '/api/v1/namespaces/kube-system/secrets/services-a': secret('u-a', ''),
        '/api/v1/namespaces/kube-system/secrets/services-b': secret('u-b', 'dG9rZW4='),
        '/apis/authorization.k8s.io/v1/subjectaccessreviews': { kind: 'SubjectAccessReview', status: {} },
      }),
    ).toEqual([
      expect.stringMatching(/^failed prod: DNS of pods: .* no ready back end/),
      expect.stringMatching(/^failed prod: Services of pods: The Secret services-a has no token/),
      expect.stringMatching(
        /^failed prod: rights for Services: The account services may not list services, watch serv/,
      ),
      expect.stringMatching(/^warning prod: former tokens: No container group has the token of services-b/),
    ]);
  });

  it('looks for no relay in the cluster when it runs outside, but at when it called', async () => {
    const world = await createWorld();
    await world.beat();
    const { '/version': version, '/api/v1/nodes/aci-1/proxy/healthz': port } = healthy.paths ?? {};
    const paths = {
      ...defined({ '/version': version, '/api/v1/nodes/aci-1/proxy/healthz': port }),
    };
    const relay = async (): Promise<readonly string[]> =>
      (await checks(world, { ...healthy, paths }, ['--relay', 'outside']))
        .filter(({ name }) => /relay|address|chart/.test(name))
        .map(({ name, verdict, found }) => `${verdict} ${name}: ${found}`);
    expect(await relay()).toEqual(['failed prod: relay: The app has not heard of it yet.']);
    const key = { cluster: world.settings.CLUSTERS[0]?.uid ?? '', node: 'aci-1' };
    const row = await world.store.getNode(key);
    const previous = row.ok ? row.value : undefined;
    const heard = { ...(previous?.value ?? newNodeRow()), relayHeardAt: world.now - 7000 };
    await world.store.upsertNode(key, heard, previous);
    expect(await relay()).toEqual(['ok prod: relay: It runs outside of the cluster, and called 7 s ago.']);
  });

  it('gives the advice that fits the cause', async () => {
    const world = await createWorld();
    const noLogin = () =>
      Promise.resolve(fail({ kind: 'transient', message: 'AggregateAuthenticationError: ChainedTokenCredential …' }));
    Object.assign(world, { groups: { ...world.groups, list: noLogin, listUsages: noLogin } });
    const shown = await runOver(world, doctor, [], { paths: healthy.paths ?? {} });
    expect(shown.stdout).toMatch(/resource group: .*There is no Azure login here.*\n +→ Sign in with az login/);
    expect(`${shown.stdout}${shown.stderr}`).not.toMatch(/AggregateAuthentication|ACI_SUBNET_ID/);
  });

  it('skips what only az knows when there is only a settings file', async () => {
    const world = await createWorld();
    await world.beat();
    const reported = await checks(world, { paths: healthy.paths ?? {} });
    expect(reported.filter(({ verdict }) => verdict === 'failed')).toEqual([]);
    expect(reported.slice(0, 5).map(({ name, verdict }) => `${verdict} ${name}`)).toEqual([
      'skipped az login',
      'ok settings',
      'ok body limit',
      'skipped function app',
      'skipped identity',
    ]);
  });
});
