/** attach and detach as an operator runs them: real Kubernetes, real helm, real storage, the packaged app. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { kubectlOutput } from '../../../infra/local/cluster/kubectl.ts';
import { runCommand, startRig } from './rig.ts';
import type { CliResult, Rig } from './rig.ts';

let dir = '';
let rig: Rig;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'serverless-kubelet-cli-'));
  rig = await startRig(dir);
});
afterAll(async () => {
  await rig.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** What failed says why. */
const outcome = ({ code, stderr }: CliResult): string => (code === 0 ? 'done' : stderr);
const common = (): string[] => ['--settings', rig.settings, '--kubeconfig', rig.cluster.kubeconfigPath];
/** No kube-proxy and no kubelet run here: the relay has no address, and its pods never start. */
const attach = (nodes: string, ...more: string[]): Promise<CliResult> =>
  rig.cli(
    'attach',
    ...common(),
    '--app-url',
    rig.host.value.url,
    '--chart',
    rig.chart,
    '--auth',
    'token',
    '--nodes',
    nodes,
    '--node-address',
    '127.0.0.1',
    '--port',
    '21250',
    '--wait',
    'nodes',
    ...more,
  );
const detach = (...more: string[]): Promise<CliResult> => rig.cli('detach', ...common(), '--chart', rig.chart, ...more);

async function apply(...items: object[]): Promise<void> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await kubectlOutput(['apply', '-f', '-'], { ...rig.cluster.kubectl, input });
}

const pod = (name: string, node: string, script: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: {
    nodeSelector: { 'kubernetes.io/hostname': node },
    tolerations: [{ key: 'virtual-kubelet.io/provider', operator: 'Exists' }],
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 2,
    containers: [{ name: 'main', image: 'docker.io/library/busybox:latest', command: ['sh', '-c', script] }],
  },
});
/** The first pods wait for a timer each. */
const phaseIs = (name: string, phase: string): Promise<string> =>
  kubectlOutput(['wait', `pod/${name}`, `--for=jsonpath={.status.phase}=${phase}`, '--timeout=240s'], {
    ...rig.cluster.kubectl,
    timeoutMs: 250_000,
  });

const groupsSchema = z.object({ groups: z.array(z.looseObject({})) });
async function groupCount(): Promise<number> {
  const answer = await fetch(`${rig.emulator.child.value.adminUrl}/_emulator/groups`);
  return groupsSchema.parse(await answer.json()).groups.length;
}
const names = async (kind: string): Promise<string[]> =>
  (await rig.kubectl('get', kind, '-A', '-o', 'name')).split('\n').filter((line) => line !== '');

describe('attach and detach', () => {
  it('nothing is changed by what cannot work', async () => {
    await apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'vm-1' } });
    const before = await names('all,nodes,namespaces,clusterroles');
    const taken = await attach('aci-1,vm-1');
    expect(taken.stderr).toContain('the cluster has a Node vm-1 already, which is not one of ours');
    const shape = await attach('aci-1', '--set', 'replicas=many');
    expect(shape.stderr).toContain("at '/replicas': got string, want integer");
    const port = await attach('aci-1', '--set', 'app.url=http://example.com');
    expect(port.stderr).toContain('app.url');
    const dry = await attach('aci-1', '--dry-run');
    expect([taken.code, shape.code, port.code, dry.code]).toEqual([2, 2, 2, 0]);
    expect(await names('all,nodes,namespaces,clusterroles')).toEqual(before);
    await rig.kubectl('delete', 'node', 'vm-1');
  });

  it('an API server that does not answer is one sentence', async () => {
    const file = join(dir, 'gone.kubeconfig');
    const text = (await rig.kubectl('config', 'view', '--raw', '--flatten', '-o', 'json')).replace(
      rig.cluster.url,
      'https://127.0.0.1:9',
    );
    writeFileSync(file, text);
    const args = ['attach', '--settings', rig.settings, '--kubeconfig', file, '--app-url', rig.host.value.url];
    const result = await rig.cli(...args, '--nodes', 'aci-1', '--auth', 'token', '--chart', rig.chart);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain("the cluster's API server cannot be reached: the connection is refused");
  });

  it('attaches two nodes, and a second run changes nothing', async () => {
    const first = await attach('aci-1,aci-2', '--zones', '1,2');
    expect(outcome(first)).toBe('done');
    expect(await rig.kubectl('get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}')).toBe('aci-1 aci-2');
    const second = await attach('aci-1,aci-2', '--zones', '1,2');
    expect(second.stdout).toContain('nothing was changed');
  });

  it('leaves a chart as it is that something else installs, and needs no helm for it', async () => {
    const environment = { ...rig.environment, HELM: join(dir, 'no-helm') };
    const args = ['attach', ...common(), '--app-url', rig.host.value.url, '--auth', 'token', '--nodes', 'aci-1,aci-2'];
    const keep = [...args, '--node-address', '127.0.0.1', '--wait', 'nodes', '--keep-chart'];
    const kept = await runCommand(keep, environment);
    expect(outcome(kept)).toBe('done');
    expect(kept.stdout).toContain('nothing was changed');
    const dry = await runCommand([...keep, '--dry-run', '--output', 'json'], environment);
    expect(JSON.parse(dry.stdout)).toMatchObject({ chart: 'left as it is', chartValues: { installation: 'local' } });
  });

  it('and detaches nothing that a newer release made: one sentence, and nothing is half done', async () => {
    const label = (value: string) =>
      rig.kubectl('label', '--overwrite', 'deployment/relay', '-n', 'serverless-kubelet', `helm.sh/chart=${value}`);
    const own = await rig.kubectl(
      'get',
      'deployment/relay',
      '-n',
      'serverless-kubelet',
      '-o',
      'jsonpath={.metadata.labels.helm\\.sh/chart}',
    );
    await label('serverless-kubelet-99.1.0');
    const before = await names('all,nodes,namespaces,clusterroles');
    const results = [await attach('aci-1,aci-2,aci-3'), await detach()];
    await label(own);
    for (const { code, stderr } of results) {
      expect(code).toBe(2);
      expect(stderr).toMatch(
        /the chart in the cluster is of release 99\.1\.0, and this program of .*\n {2}→ use the program of release 99\.1\.0/,
      );
    }
    expect(await names('all,nodes,namespaces,clusterroles')).toEqual(before);
  });

  it('runs pods on them', async () => {
    await apply(pod('done', 'aci-1', 'exit 0'), pod('stays', 'aci-1', 'sleep 600'), pod('moves', 'aci-2', 'sleep 600'));
    await Promise.all([phaseIs('done', 'Succeeded'), phaseIs('stays', 'Running'), phaseIs('moves', 'Running')]);
    expect(await groupCount()).toBe(3);
  });

  it('detaches one node, and the other goes on', async () => {
    const result = await detach('--nodes', 'aci-2');
    expect(outcome(result)).toBe('done');
    expect(await names('nodes')).toEqual(['node/aci-1']);
    expect(await rig.kubectl('get', 'pod', 'stays', '-o', 'jsonpath={.status.phase}')).toBe('Running');
    const rules = await rig.kubectl('get', 'clusterrole', 'serverless-kubelet-app', '-o', 'json');
    expect(rules).toContain('aci-1');
    expect(rules).not.toContain('aci-2');
  });

  it('detaches the cluster, nothing is left, and a second run says so', async () => {
    const result = await detach('--purge-usage', '--output', 'json');
    expect(outcome(result)).toBe('done');
    expect(JSON.parse(result.stdout)).toMatchObject({ clean: true, usageRecords: 0 });
    expect(await names('nodes')).toEqual([]);
    expect(await groupCount()).toBe(0);
    expect((await names('namespaces')).toSorted()).toEqual(
      ['default', 'kube-node-lease', 'kube-public', 'kube-system'].map((name) => `namespace/${name}`),
    );
    expect(
      (await names('clusterroles,validatingadmissionpolicies')).filter((name) => name.includes('serverless')),
    ).toEqual([]);
    const again = await detach();
    expect(outcome(again)).toBe('done');
    expect(again.stdout).toContain('nothing was attached: nothing is left');
  });

  it('a cluster that was destroyed without detach goes by --force, and not while it is alive', async () => {
    const attached = await attach('aci-1');
    expect(outcome(attached)).toBe('done');
    await apply(pod('orphan', 'aci-1', 'sleep 600'));
    await phaseIs('orphan', 'Running');
    const uid = await rig.kubectl('get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}');
    const force = ['detach', '--settings', rig.settings, '--force', '--cluster', uid];
    expect((await rig.cli(...force, '--yes')).stderr).toContain('is alive');
    await rig.cluster.stop();
    const unasked = await rig.cli(...force);
    expect(unasked.stderr).toContain('needs a confirmation');
    expect(await groupCount()).toBe(1);
    const gone = await rig.cli(...force, '--yes', '--purge-usage', '--output', 'json');
    expect(outcome(gone)).toBe('done');
    expect(JSON.parse(gone.stdout)).toMatchObject({ clean: true });
    expect(await groupCount()).toBe(0);
  });
});
