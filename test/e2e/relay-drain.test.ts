/** `relay drain` on a real API server, under an account that has no more than the uninstall hook's rights. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { roleObjects } from '../../infra/local/cluster/access.ts';
import { requestToken } from '../../infra/local/cluster/attach.ts';
import { kubectl, kubectlOutput } from '../../infra/local/cluster/kubectl.ts';
import { appRoleName, installationRoles } from '../../shared/core/access/roles.ts';
import { until } from '../relay/fake-app.ts';
import { RelayRig, installation, node, otherNode, pod, running } from './relay-rig.ts';

let rig: RelayRig;
let finishing: NodeJS.Timeout | undefined;

/** All that a drain needs; nothing less is tried here. */
function accessOf(nodes: readonly string[]): readonly object[] {
  const { namespace } = rig.attached;
  const account = { kind: 'ServiceAccount', name: 'drain', namespace };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'drain', namespace } },
    ...installationRoles({ namespace, nodes })
      .filter(({ program }) => program === 'drain')
      .flatMap((role) => roleObjects(role, account, {})),
  ];
}

async function drain(timeoutSeconds: number): Promise<{ readonly code: number; readonly lines: string }> {
  const { namespace } = rig.attached;
  const args = ['drain', '--config', join(rig.dir, 'relay/drain.json'), '--timeout-seconds', String(timeoutSeconds)];
  const { promise, resolve } = Promise.withResolvers<{ code: number; lines: string }>();
  const binding = ['--app-role-binding', appRoleName(namespace)];
  execFile(process.execPath, [rig.bundle, ...args, ...binding], (error, stdout, stderr) =>
    resolve({ code: typeof error?.code === 'number' ? error.code : 0, lines: stdout + stderr }),
  );
  return promise;
}

const exists = async (...what: readonly string[]): Promise<boolean> =>
  (await kubectl(['get', ...what], rig.cluster.kubectl)).code === 0;
const podsOn = async (name: string): Promise<readonly string[]> =>
  (await rig.get('pods', '-A', '--field-selector', `spec.nodeName=${name}`, '-o', 'name')).split('\n').filter(Boolean);

const stubbornPods = async (): Promise<readonly string[]> =>
  (await podsOn(node)).filter((name) => name.startsWith('pod/stubborn-'));

/** The app's part: what is on its way out has ended, and goes. */
async function finish(): Promise<void> {
  const { items } = JSON.parse(await rig.get('pods', '-A', '-o', 'json'));
  for (const { metadata } of items)
    if (metadata.deletionTimestamp !== undefined)
      await kubectl(
        ['delete', 'pod', '-n', metadata.namespace, metadata.name, '--force', '--grace-period=0'],
        rig.cluster.kubectl,
      );
}

/** Its pods are bound to the node that is drained, if these tolerations allow it. */
const daemonSet = (name: string, toleration: object): object => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name, namespace: 'default' },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        nodeSelector: { 'kubernetes.io/hostname': node },
        tolerations: [toleration],
        containers: [{ name: 'main', image: 'busybox' }],
      },
    },
  },
});

const labelled = (app: string) => ({ metadata: { labels: { app } } });

beforeAll(async () => {
  rig = await RelayRig.start();
  await rig.apply(...accessOf([node, otherNode]));
  const { token } = await requestToken({
    kubectl: rig.cluster.kubectl,
    namespace: rig.attached.namespace,
    serviceAccount: 'drain',
    durationSeconds: 3600,
  });
  const apiServer = {
    url: rig.cluster.url,
    caFile: join(rig.dir, 'relay/ca.crt'),
    tokenFile: rig.file('drain-token', token),
  };
  // In the hook's pod there is no more than this: no key, no token for the app.
  const absent = { certFile: '/absent/tls.crt', keyFile: '/absent/tls.key' };
  rig.configFile('drain', { installation, apiServer, serving: absent, kubeletClientCaFile: '/absent/ca.crt' });
  const other = ['annotate', 'node', otherNode, 'serverless-kubelet.io/owner=someone-else', '--overwrite'];
  await kubectlOutput(other, rig.cluster.kubectl);
  await kubectlOutput(
    [
      'patch',
      'node',
      node,
      '--subresource=status',
      '-p',
      '{"status":{"allocatable":{"pods":"100","cpu":"100","memory":"400Gi"}}}',
    ],
    rig.cluster.kubectl,
  );
});

afterAll(async () => {
  clearInterval(finishing);
  await rig?.close();
});

describe('a drain', () => {
  it('that does not come to its end names what is left, and takes neither right nor Node', async () => {
    const { namespace } = rig.attached;
    await rig.apply(
      pod('plain'),
      pod('guarded', node, labelled('guarded')),
      pod('elsewhere', otherNode),
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'guarded', namespace: 'default' },
        spec: { minAvailable: 1, selector: { matchLabels: { app: 'guarded' } } },
      },
      daemonSet('agent', { key: 'virtual-kubelet.io/provider', operator: 'Exists' }),
    );
    await kubectlOutput(['label', 'node', node, `kubernetes.io/hostname=${node}`], rig.cluster.kubectl);
    await rig.patchStatus('guarded', { ...running(), conditions: [{ type: 'Ready', status: 'True' }] });
    await rig.patchStatus('plain', running());
    await until('the DaemonSet’s pod', async () => (await podsOn(node)).length === 3, 30_000);
    await until(
      'the budget',
      async () => (await rig.get('pdb', 'guarded', '-o', 'jsonpath={.status.currentHealthy}')) === '1',
      30_000,
    );
    const { code, lines } = await drain(5);
    expect(code).toBe(4);
    expect(lines).toContain('aci-1: takes no new pods');
    expect(lines).toContain('default/guarded is held: ');
    expect(lines).toMatch(/still there: .*default\/plain/);
    expect(await exists('node', node)).toBe(true);
    expect(await exists('clusterrolebinding', appRoleName(namespace))).toBe(true);
    expect(await rig.get('node', node, '-o', 'jsonpath={.spec.unschedulable}')).toBe('true');
    const taints = await rig.get('node', node, '-o', 'jsonpath={.spec.taints[*].key}');
    expect(taints.split(' ')).toEqual(
      expect.arrayContaining(['virtual-kubelet.io/provider', 'serverless-kubelet.io/draining']),
    );
  });

  it('that is begun again ends it all: pods, the right of the app, Lease and Node; and leaves others alone', async () => {
    await rig.apply(daemonSet('stubborn', { operator: 'Exists' }));
    await until('the stubborn pod', async () => (await stubbornPods()).length === 1, 30_000);
    finishing = setInterval(() => void finish().catch(() => undefined), 1000);
    const { code, lines } = await drain(120);
    expect(lines).toContain('done: nothing is left of these nodes');
    expect(code).toBe(0);
    expect(lines).toMatch(/aci-1: DaemonSet stubborn puts default\/stubborn-\w+ back: it goes with the Node/);
    expect(lines).not.toContain('DaemonSet agent');
    expect(lines).toContain('aci-2: it belongs to installation "someone-else", not to "prod": it is left alone');
    const { namespace } = rig.attached;
    expect(await exists('node', node)).toBe(false);
    expect(await exists('lease', '-n', 'kube-node-lease', node)).toBe(false);
    expect(await exists('clusterrolebinding', appRoleName(namespace))).toBe(false);
    const stubborn = await stubbornPods();
    expect((await podsOn(node)).filter((name) => !stubborn.includes(name))).toEqual([]);
    expect(await exists('node', otherNode)).toBe(true);
    expect(await podsOn(otherNode)).toEqual(['pod/elsewhere']);
    expect(await rig.get('node', otherNode, '-o', 'jsonpath={.spec.unschedulable}')).toBe('');
  });

  it('that was done already is done', async () => {
    const { code, lines } = await drain(30);
    expect(lines).toContain('done');
    expect(code).toBe(0);
  });

  it('leaves the pods that a DaemonSet put back to the control plane, which removes them with their Node', async () => {
    await until('no pods on the node', async () => (await podsOn(node)).length === 0, 120_000);
    expect(await exists('node', node)).toBe(false);
  });
});
