/** How attach lets pods reach names and Services, and rotates the token for it: real Kubernetes, real helm, without an app. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createContext } from '../../../infra/cli/context.ts';
import type { CliContext } from '../../../infra/cli/context.ts';
import { parseOptions } from '../../../infra/cli/options.ts';
import { createOutput } from '../../../infra/cli/output.ts';
import { kubectlOutput } from '../../../infra/local/cluster/kubectl.ts';
import { groupTags, tagNames } from '../../../shared/core/group/identity.ts';
import { subnetIdExample } from '../../../shared/core/resource-id.ts';
import { parseRegistrations } from '../../../shared/wire/settings.ts';
import { groupBody } from '../../fixtures/group-body.ts';
import { startGround } from './rig.ts';
import type { CliResult, Ground } from './rig.ts';
import { readBlob } from './world-snapshot.ts';

const namespace = 'serverless-kubelet';
const signal = new AbortController().signal;
let dir = '';
let ground: Ground;
let groups: Awaited<ReturnType<CliContext['groups']>>;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'serverless-kubelet-services-'));
  ground = await startGround(dir);
  const settings = JSON.parse(readFileSync(ground.settings, 'utf8'));
  settings.Values.ACI_SUBNET_ID = subnetIdExample;
  writeFileSync(ground.settings, JSON.stringify(settings));
  groups = await contextOf().groups();
});
afterAll(async () => {
  await ground?.stop();
  rmSync(dir, { recursive: true, force: true });
});
afterEach(() => vi.useRealTimers());

function contextOf(): CliContext {
  const stream = { write: () => undefined };
  return createContext({
    options: parseOptions(['--settings', ground.settings], {}),
    out: createOutput({ stdout: stream, stderr: stream, format: 'table', environment: {} }),
    environment: ground.environment,
    signal,
    stdin: () => Readable.from([]),
  });
}

const cluster = (): string[] => ['--settings', ground.settings, '--kubeconfig', ground.cluster.kubeconfigPath];
const always = [
  '--app-url',
  'http://127.0.0.1:9',
  '--auth',
  'token',
  '--nodes',
  'aci-1',
  '--node-address',
  '127.0.0.1',
];
const attach = (...more: string[]): Promise<CliResult> => {
  const chart = more.includes('--keep-chart') ? [] : ['--chart', ground.chart];
  return ground.cli('attach', ...cluster(), ...always, '--wait', 'none', ...chart, ...more);
};
/** What it says in its first line; what failed, why. */
const outcome = ({ code, stdout, stderr }: CliResult): string => (code === 0 ? (stdout.split('\n')[0] ?? '') : stderr);

async function registered() {
  const read = parseRegistrations(await readBlob(readFileSync(ground.settings, 'utf8')));
  const [one] = read.ok ? read.clusters : [];
  return { dns: one?.dns, services: one?.services, declined: one?.declined };
}
/** With the UIDs that tags name. */
async function secrets(): Promise<Readonly<Record<string, string>>> {
  const path = '{range .items[?(@.type=="kubernetes.io/service-account-token")]}{.metadata.name}={.metadata.uid} {end}';
  const text = await ground.kubectl('get', 'secrets', '-n', namespace, '-o', `jsonpath=${path}`);
  return Object.fromEntries(text.split(' ').flatMap((pair) => (pair === '' ? [] : [pair.split('=')])));
}

/** A group as the app makes it, with the token of a Secret. */
async function makeGroup(name: string, secret: string, uid: string): Promise<void> {
  const clusterUid = await ground.kubectl('get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}');
  const { INSTALLATION: installation } = await contextOf().settings();
  const owner = { installation, cluster: clusterUid, node: 'aci-1', namespace: 'shop', name, uid: `uid-${name}` };
  const tags = { ...groupTags(owner, 'hash'), [tagNames.services]: `${secret}/${uid}` };
  const body = groupBody({ tags }, { image: 'docker.io/library/busybox:latest', command: ['sleep', '600'] });
  expect(await groups.createOrUpdate(name, body, signal)).toMatchObject({ ok: true });
}

/** The clock of the command line alone. */
const later = (minutes: number): void => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + minutes * 60_000 });
};

describe('pods reach Services', () => {
  it('not by themselves where nothing is known of the network: a sentence says how', async () => {
    const result = await attach('--dry-run');
    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout).toContain("pods ask Azure's resolver for names, and reach no Services\n");
    expect(result.stdout).toContain("pods reach no Services: nothing is known of the cluster's network");
  });

  it('when they are turned on: account, token, registration, and then nothing more', async () => {
    const kubeDns = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
      spec: { selector: { 'k8s-app': 'kube-dns' }, ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] },
    };
    await kubectlOutput(['apply', '-f', '-'], { ...ground.cluster.kubectl, input: JSON.stringify(kubeDns) });
    const address = await ground.kubectl(
      'get',
      'svc',
      'kube-dns',
      '-n',
      'kube-system',
      '-o',
      'jsonpath={.spec.clusterIP}',
    );
    const first = await attach('--services', 'on', '--cluster-domain', 'corp.test');
    expect(outcome(first)).toMatch(/chart installed, Secret services-a made, .*registration written/);
    expect(await registered()).toEqual({
      dns: { nameServers: [address], domain: 'corp.test', viaServices: true },
      services: { clusterCidr: '10.0.0.0/8', credential: 'services-a' },
      declined: undefined,
    });
    expect(Object.keys(await secrets())).toEqual(['services-a']);
    expect(outcome(await attach())).toContain('nothing was changed');
    expect(outcome(await attach('--keep-chart'))).toContain('nothing was changed');
  });

  it('and the ClusterIP that is given is known as one', async () => {
    const address = await ground.kubectl('get', 'svc', 'kubernetes', '-o', 'jsonpath={.spec.clusterIP}');
    const result = await attach('--dns', address, '--services', 'off', '--dry-run');
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(`pods would ask ${address} for names, a ClusterIP, and reach no Services`);
  });

  it('with another token after a rotation, the former one staying while a group has it', async () => {
    await makeGroup('web-1', 'services-a', (await secrets())['services-a'] ?? '');
    expect(outcome(await attach('--rotate-services'))).toMatch(
      /chart installed, Secret services-b made, registration written/,
    );
    expect((await registered()).services?.credential).toBe('services-b');
    later(11);
    expect(outcome(await attach())).toContain('nothing was changed');
    expect(Object.keys(await secrets())).toEqual(['services-a', 'services-b']);
    const again = await attach('--rotate-services');
    expect(again.code).toBe(2);
    expect(again.stderr).toMatch(
      /the token of services-a, .* is still in 1 container group, of the pod shop\/web-1\n {2}→ replace/,
    );
  });

  it('and it goes when no group has it any more, ten minutes after the rotation', async () => {
    const { services } = await registered();
    expect(await groups.delete('web-1', signal)).toMatchObject({ ok: true });
    expect(outcome(await attach())).toContain('nothing was changed');
    later(11);
    expect(outcome(await attach())).toMatch(/chart installed, Secret services-a removed$/);
    expect(Object.keys(await secrets())).toEqual(['services-b']);
    expect((await registered()).services).toEqual(services);
  });

  it('with a Secret that somebody deleted made anew', async () => {
    const before = await secrets();
    await ground.kubectl('delete', 'secret', 'services-b', '-n', namespace);
    const kept = await attach('--keep-chart');
    expect(kept.stderr).toContain(`the namespace ${namespace} has no Secret services-b with a token`);
    expect(outcome(await attach())).toMatch(/chart installed, Secret services-b made$/);
    const after = await secrets();
    expect(Object.keys(after)).toEqual(['services-b']);
    expect(after).not.toEqual(before);
  });

  it('no more when they are turned off; the account goes with an attach ten minutes after that', async () => {
    expect(outcome(await attach('--services', 'off', '--dns', 'azure'))).toMatch(/attached: registration written$/);
    expect(await registered()).toEqual({ dns: undefined, services: undefined, declined: ['dns', 'services'] });
    expect(outcome(await attach())).toContain('nothing was changed');
    later(11);
    expect(outcome(await attach())).toMatch(/chart installed, Secret services-b removed$/);
    expect(await secrets()).toEqual({});
    expect(await ground.kubectl('get', 'clusterroles', '-o', 'name')).not.toContain(`${namespace}-services`);
    expect(outcome(await attach())).toContain('nothing was changed');
  });

  it('and detach leaves nothing of it', async () => {
    expect(outcome(await attach('--services', 'on', '--dns', 'auto'))).toContain('Secret services-a made');
    const kept = await ground.cli('detach', ...cluster(), '--keep-chart');
    expect(kept.stderr).toContain(`the chart stays, and with it the account services of ${namespace}`);
    const result = await ground.cli(
      'detach',
      ...cluster(),
      '--chart',
      ground.chart,
      '--purge-usage',
      '--output',
      'json',
    );
    expect(result.code === 0 ? JSON.parse(result.stdout) : result.stderr).toMatchObject({ clean: true });
    expect(await ground.kubectl('get', 'clusterroles,clusterrolebindings', '-o', 'name')).not.toContain(namespace);
  });
});
