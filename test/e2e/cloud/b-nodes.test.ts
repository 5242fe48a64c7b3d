import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  apply,
  createNamespace,
  field,
  groups,
  kubectl,
  output,
  phase,
  pod,
  podSpec,
  record,
  removeNamespace,
  runs,
  until,
} from './cloud.ts';

const namespace = 'b-nodes';
const [node = ''] = record.nodes;
const web = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: podSpec({ restartPolicy: 'Always' }) },
  },
};

const available = (wanted: string) =>
  until(
    `${wanted} replicas are available`,
    () => field('deployment', 'web', '{.status.availableReplicas}', namespace),
    (count) => count === wanted,
    120_000,
  );
const ownGroups = async () =>
  (await groups()).filter((group) => group.tags['kubernetes-namespace'] === namespace).map((group) => group.name);
const pods = async (): Promise<readonly string[]> => {
  const path =
    '{range .items[*]}{.metadata.uid} {.status.phase} {.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';
  return (await output('get', 'pods', '-n', namespace, '-o', `jsonpath=${path}`)).trim().split('\n').sort();
};
const ownRuns = async () => (await runs()).filter((run) => run.group.includes(`/${namespace}-`)).length;
const nodeField = (path: string): Promise<string> => field('node', node, path);

describe('the node, as an operator sees it', () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    await apply(web);
  });

  afterAll(async () => {
    await kubectl(['uncordon', node]);
    await removeNamespace(namespace);
  });

  it('get nodes -o wide: Ready, the version, an address', async () => {
    const [, line = ''] = (await output('get', 'nodes', '-o', 'wide')).split('\n');
    expect(line).toMatch(
      new RegExp(
        `^${node}\\s+Ready\\s+\\S+\\s+\\S+\\s+v1\\.36\\.3-aci\\.\\S+\\s+127\\.0\\.0\\.1\\s.*Azure Container Instances`,
      ),
    );
  });

  it('describe node: conditions, lease, allocatable, taint, labels, its pods', async () => {
    await available('2');
    const described = await output('describe', 'node', node);
    expect(described).toMatch(/Taints:\s+virtual-kubelet\.io\/provider=azure:NoSchedule\n/);
    expect(described).toMatch(/Ready\s+True\s.*KubeletReady/);
    for (const condition of ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'NetworkUnavailable'])
      expect(described).toMatch(new RegExp(`${condition}\\s+False`));
    for (const label of [
      'type=virtual-kubelet',
      'kubernetes.azure.com/managed=false',
      'node.kubernetes.io/exclude-from-external-load-balancers=true',
      'topology.kubernetes.io/region=westeurope',
      'kubernetes.io/os=linux',
    ])
      expect(described).toContain(label);
    expect(described).toMatch(/Annotations:[^]*serverless-kubelet\.io\/owner: local/);
    expect(described).toMatch(new RegExp(`HolderIdentity:\\s+${node}\\n`));
    expect(described).toMatch(
      /Allocatable:\n\s+cpu:\s+\d+\n\s+ephemeral-storage:\s+\S+\n\s+memory:\s+\S+\n\s+pods:\s+\d+/,
    );
    expect(described).toMatch(new RegExp(`${namespace}\\s+web-`));
    const renewedAt = Date.parse(await field('lease', node, '{.spec.renewTime}', 'kube-node-lease'));
    expect(Date.now() - renewedAt).toBeLessThan(40_000);
  });

  it('cordon keeps new pods away and lets the others be; uncordon lets them come', async () => {
    await output('cordon', node);
    await apply(pod('late', { namespace }));
    await sleep(5_000);
    expect(await phase('late', namespace)).toBe('Pending');
    expect(await field('pod', 'late', '{.spec.nodeName}', namespace)).toBe('');
    expect(await output('get', 'nodes')).toContain('Ready,SchedulingDisabled');
    expect(await field('deployment', 'web', '{.status.availableReplicas}', namespace)).toBe('2');
    await output('uncordon', node);
    await until(
      'the late pod runs',
      () => phase('late', namespace),
      (seen) => seen === 'Running',
    );
    await output('delete', 'pod', 'late', '-n', namespace);
  });

  it('delete node: back within 30 s with a new UID, its pods unharmed', async () => {
    await until('the late pod is gone', pods, (lines) => lines.length === 2);
    const before = { pods: await pods(), groups: await ownGroups(), runs: await ownRuns() };
    const uid = await nodeField('{.metadata.uid}');
    await output('delete', 'node', node, '--wait=false');
    const deletedAt = Date.now();
    await until(
      'the node is back',
      () => nodeField('{.metadata.uid} {.status.conditions[?(@.type=="Ready")].status}'),
      (seen) => seen.endsWith(' True') && !seen.startsWith(uid),
      30_000,
    );
    expect(Date.now() - deletedAt).toBeLessThan(30_000);
    expect(await field('lease', node, '{.metadata.ownerReferences[0].uid}', 'kube-node-lease')).toBe(
      await nodeField('{.metadata.uid}'),
    );
    // Long enough for the node lifecycle controller and the garbage collector of pods to do harm, were there any.
    await sleep(25_000);
    expect(await pods()).toEqual(before.pods);
    expect(before.pods.every((line) => line.endsWith(' Running True'))).toBe(true);
    expect(await ownGroups()).toEqual(before.groups);
    expect(await ownRuns()).toBe(before.runs);
  });

  it('drain evicts the pods and their groups; after uncordon the Deployment is available again', async () => {
    const before = await ownGroups();
    await output('drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--force', '--timeout=90s');
    await until('the old groups are gone', ownGroups, (names) => names.every((name) => !before.includes(name)));
    expect(await output('get', 'pods', '-n', namespace, '-o', 'jsonpath={.items[*].spec.nodeName}')).toBe('');
    await output('uncordon', node);
    await available('2');
    expect(await ownGroups()).toHaveLength(2);
  });
});
