import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { canMake } from '../../../infra/local/aci/images/rootfs.ts';
import { apiServerName } from '../../../infra/local/aci/network/corefile.ts';
import { dir, kubectl, output, record, until } from './cloud.ts';

/** It has getent and bash. */
const glibc = 'debian:bookworm-slim';
const musl = canMake('musl') ? 'alpine:3.20' : glibc;
const images = ['--musl-image', musl, '--glibc-image', glibc];
const args = ['--pods', ...images, '--outside', apiServerName, '--output', 'json'];

/** `npm run doctor`, in a process group of its own, as a terminal starts it. */
const startDoctor = () =>
  spawn(process.execPath, [join(import.meta.dirname, '../../../infra/local/ask.ts'), 'doctor', '--dir', dir, ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });

const reachPods = (): Promise<string> =>
  output('get', 'pods', '-A', '-l', 'app.kubernetes.io/component=reach', '-o', 'name');

const untilGone = (): Promise<string> => until('no pod is left', reachPods, (pods) => pods === '');

const shown = z.object({ checks: z.array(z.object({ name: z.string(), verdict: z.string(), found: z.string() })) });

/** What it says of the pods' ways, by the name of the check. */
async function judged() {
  const child = startDoctor();
  const [stdout] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const { checks } = shown.parse(JSON.parse(stdout));
  return (check: string) => checks.find(({ name }) => name.endsWith(`: pods: ${check}`));
}

/** Turns knobs of the groups' network. */
async function turn(knobs: object): Promise<void> {
  const answer = await fetch(`${record.emulatorAdminUrl}/_emulator/network`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(knobs),
  });
  expect(answer.status).toBeLessThan(300);
}

const portOf = async (service: string, namespace: string): Promise<number> =>
  Number(await output('get', 'endpoints', service, '-n', namespace, '-o', 'jsonpath={.subsets[0].ports[0].port}'));

/** Takes an object away, or changes it, until the answered function puts it back. */
async function without(kind: string, name: string, namespace: string, change: readonly string[]) {
  const input = await output('get', kind, name, '-n', namespace, '-o', 'json');
  await output(...change, '-n', namespace);
  return async (): Promise<void> => {
    await kubectl(['delete', kind, name, '-n', namespace, '--ignore-not-found']);
    const { code, stderr } = await kubectl(['create', '-f', '-'], { input: withoutIdentity(input) });
    expect({ code, stderr }).toMatchObject({ code: 0 });
  };
}

function withoutIdentity(json: string): string {
  const { metadata, ...rest } = z.looseObject({ metadata: z.looseObject({}) }).parse(JSON.parse(json));
  return JSON.stringify({ ...rest, metadata: { ...metadata, uid: undefined, resourceVersion: undefined } });
}

type Fault = () => Promise<() => Promise<void>>;

const dropped =
  (service: string, namespace: string): Fault =>
  async () => {
    await turn({ droppedPorts: [await portOf(service, namespace)] });
    return () => turn({ droppedPorts: [] });
  };
const binding = 'serverless-kubelet-services';
const noEndpoints = ['patch', 'endpoints', 'kube-dns', '--type', 'json', '-p', '[{"op":"remove","path":"/subsets"}]'];

/** A fault, the check that fails, and what it says. */
const faults: readonly (readonly [fault: string, cause: Fault, check: string, says: string])[] = [
  ['a security rule that drops DNS', dropped('kube-dns', 'kube-system'), 'addresses of pods', 'takes no connection'],
  ['one that drops the API server', dropped('kubernetes', 'default'), 'API server', 'takes no connection'],
  [
    "a network's DNS that knows no name",
    async () => {
      await turn({ vnetDns: 'nxdomain' });
      return () => turn({ vnetDns: 'machine' });
    },
    'names outside',
    'is not resolved',
  ],
  [
    'an account for Services whose rights were taken away',
    () => without('clusterrolebinding', binding, 'default', ['delete', 'clusterrolebinding', binding]),
    'ClusterIPs',
    'may not list',
  ],
  [
    "a cluster's DNS that is gone",
    () => without('endpoints', 'kube-dns', 'kube-system', noEndpoints),
    'name servers',
    "no pod of the cluster's DNS is ready",
  ],
];

describe('doctor --pods', () => {
  it('runs its pod on the node, reads what it reports, and leaves nothing', async () => {
    const of = await judged();
    expect(of('pod')).toMatchObject({ verdict: 'ok', found: expect.stringContaining('It ran on aci-1') });
    // Each container has reported; where there are Services, init containers do not reach them yet.
    expect(of('musl and glibc')).toMatchObject({ verdict: 'ok' });
    expect(['ok', 'warning']).toContain(of('init phase')?.verdict);
    for (const hop of ['ClusterIPs', 'addresses of pods', 'name servers', 'names of the cluster', 'API server'])
      expect(of(hop)).not.toMatchObject({ verdict: 'failed' });
    expect(of('API server')).toMatchObject({ verdict: 'ok' });
    expect(await untilGone()).toBe('');
  });

  it.each(faults)('names %s', async (_, cause, check, says) => {
    const mend = await cause();
    try {
      const of = await judged();
      expect(of(check)).toMatchObject({ verdict: 'failed', found: expect.stringContaining(says) });
    } finally {
      await mend();
    }
  });

  it('an interrupted one leaves nothing either, though Ctrl-C comes to each process of the group and is passed on', async () => {
    const child = startDoctor();
    const ended = once(child, 'close');
    await until('the pod is there', reachPods, (pods) => pods !== '');
    process.kill(-(child.pid ?? 0), 'SIGINT');
    await ended;
    expect(await untilGone()).toBe('');
  });
});
