/** The account that reads Services for container groups: its token, what it may do with it, and how it ends. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiClient } from '../../../infra/local/cluster/api-client.ts';
import { readEndpoint } from '../../../infra/local/cluster/attach.ts';
import type { ControlPlane } from '../../../infra/local/cluster/control-plane.ts';
import { kubectl, kubectlOutput } from '../../../infra/local/cluster/kubectl.ts';
import { until } from '../until.ts';
import { ChartWorld, apply, clusterFor, clusterUid, get, namespace, namespaced, release, values } from './chart.ts';
import type { Manifest, Values } from './chart.ts';

let world: ChartWorld;
let cluster: ControlPlane;
let given: Values;

beforeAll(async () => {
  world = await ChartWorld.build();
  cluster = await clusterFor(world);
  given = values(await clusterUid(cluster));
  await apply(cluster, [namespaced(namespace, { 'pod-security.kubernetes.io/enforce': 'restricted' })]);
});

afterAll(async () => {
  await cluster?.stop();
  world?.remove();
});

async function upgrade(services: Values): Promise<void> {
  const args = ['upgrade', '--install', release, world.chart, '--namespace', namespace];
  const { code, stderr } = await world.run(args, { ...given, services }, cluster.kubeconfigPath);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
}

interface Secret extends Manifest {
  readonly metadata: Manifest['metadata'] & { readonly uid: string };
  readonly data?: Readonly<Record<string, string>>;
}

const secret = (name: string): Promise<Secret> => get<Secret>(cluster, 'secret', name, '--namespace', namespace);
const filled = (name: string): Promise<Secret> =>
  until(
    `a token in ${name}`,
    () => secret(name),
    ({ data }) => data?.['token'] !== undefined,
  );
const tokenOf = ({ data }: Secret): string => Buffer.from(data?.['token'] ?? '', 'base64').toString('utf8');

/** What the API server answers whoever has this token, by path and method. */
async function statusesWith(token: string, calls: readonly string[]): Promise<Readonly<Record<string, number>>> {
  const client = createApiClient(await readEndpoint(cluster.kubeconfigPath), { token });
  try {
    const answers = calls.map(async (call) => {
      const [method = 'GET', path = ''] = call.split(' ');
      const body = method === 'GET' || method === 'DELETE' ? {} : { body: { metadata: { name: 'x' } } };
      const verb = method === 'POST' || method === 'DELETE' ? method : 'GET';
      return [call, (await client.send({ method: verb, path, ...body })).status] as const;
    });
    return Object.fromEntries(await Promise.all(answers));
  } finally {
    client.close();
  }
}

const namesOf = async (kinds: string): Promise<readonly string[]> =>
  (await kubectlOutput(['get', kinds, '--namespace', namespace, '-o', 'name'], cluster.kubectl))
    .split('\n')
    .filter((name) => /services/.test(name))
    .toSorted();

describe('the account that reads Services', () => {
  it('has its token by the cluster, and keeps it through upgrades', async () => {
    await upgrade({ enabled: true });
    const first = await filled('services-a');
    await upgrade({ enabled: true });
    await upgrade({ enabled: true, credentials: ['services-a', 'services-b'] });
    await filled('services-b');
    expect(await secret('services-a')).toEqual(first);
  });

  it('reads what routes ClusterIPs, with that token, and nothing else', async () => {
    const all = {
      services: '/api/v1',
      endpoints: '/api/v1',
      nodes: '/api/v1',
      endpointslices: '/apis/discovery.k8s.io/v1',
    };
    const allowed = Object.entries(all).map(([resource, root]) => `GET ${root}/${resource}`);
    const watched = allowed.map((call) => `${call}?watch=true&timeoutSeconds=1`);
    const refused = [
      'GET /api/v1/secrets',
      `GET /api/v1/namespaces/${namespace}/secrets/services-a`,
      'GET /api/v1/configmaps',
      'GET /api/v1/pods',
      'GET /api/v1/serviceaccounts',
      'GET /api/v1/namespaces',
      'GET /api/v1/namespaces/default/services/kubernetes',
      'DELETE /api/v1/namespaces/default/services/kubernetes',
      'POST /api/v1/namespaces/default/services',
      'POST /api/v1/namespaces/default/endpoints',
      'POST /api/v1/nodes',
      'POST /api/v1/namespaces/default/events',
      `POST /api/v1/namespaces/${namespace}/serviceaccounts/services/token`,
      'GET /apis/rbac.authorization.k8s.io/v1/clusterroles',
      'GET /apis/networking.k8s.io/v1/networkpolicies',
    ];
    const statuses = await statusesWith(tokenOf(await filled('services-a')), [...allowed, ...watched, ...refused]);
    expect(statuses).toEqual({
      ...Object.fromEntries([...allowed, ...watched].map((call) => [call, 200])),
      ...Object.fromEntries(refused.map((call) => [call, 403])),
    });
  });

  it.each([
    ['the account lists its own Secret', 'services', ['list', 'secrets'], 'no'],
    ['the app gets the one Secret', 'app', ['get', 'secret/services-a'], 'yes'],
    ['the app gets the other', 'app', ['get', 'secret/services-b'], 'yes'],
    ['the app gets another Secret', 'app', ['get', 'secret/relay'], 'no'],
    ['the app lists Secrets', 'app', ['list', 'secrets'], 'no'],
    ['the relay gets the Secret', 'relay', ['get', 'secret/services-a'], 'no'],
  ])('%s: %s may %j: %s', async (_, account, what, expected) => {
    const as = `--as=system:serviceaccount:${namespace}:${account}`;
    const answer = await kubectl(['auth', 'can-i', ...what, as, '--namespace', namespace], cluster.kubectl);
    expect(answer.stdout.trim()).toBe(expected);
  });

  it('ends with its Secret, the other going on', async () => {
    const [former, next] = [tokenOf(await filled('services-a')), tokenOf(await filled('services-b'))];
    await upgrade({ enabled: true, credentials: ['services-b'] });
    expect(await namesOf('secrets,serviceaccounts')).toEqual(['secret/services-b', 'serviceaccount/services']);
    await until(
      'the former token being refused',
      () => statusesWith(former, ['GET /api/v1/services']),
      (statuses) => statuses['GET /api/v1/services'] === 401,
    );
    expect(await statusesWith(next, ['GET /api/v1/services'])).toEqual({ 'GET /api/v1/services': 200 });
  });

  it('comes back where somebody deleted its Secret, with another token', async () => {
    const before = await filled('services-b');
    await kubectlOutput(['delete', 'secret', 'services-b', '--namespace', namespace], cluster.kubectl);
    await upgrade({ enabled: true, credentials: ['services-b'] });
    const after = await filled('services-b');
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
    expect(tokenOf(after)).not.toBe(tokenOf(before));
  });

  it('is gone when it is turned off', async () => {
    await upgrade({ enabled: false });
    expect(await namesOf('secrets,serviceaccounts,roles,rolebindings')).toEqual([]);
    const inCluster = await kubectlOutput(['get', 'clusterroles,clusterrolebindings', '-o', 'name'], cluster.kubectl);
    expect(inCluster).not.toContain(`${namespace}-services`);
  });
});
