/** The relay of a release, where no kubelet starts its pods: its own bundle and configuration as a process of this machine. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { startChild } from '../../../infra/local/child.ts';
import type { Child } from '../../../infra/local/child.ts';
import type { ControlPlane } from '../../../infra/local/cluster/control-plane.ts';
import { kubectlOutput } from '../../../infra/local/cluster/kubectl.ts';
import { relayNodeFlags } from '../../../infra/local/up/relay.ts';

const namespace = 'serverless-kubelet';
const configSchema = z.looseObject({ app: z.looseObject({ url: z.string() }) });
const dataSchema = z.object({ data: z.record(z.string(), z.string()) });

/**
 * What the release rendered, with the paths of its files and the place of the API server those of this machine, and its
 * ServiceAccount's own tokens. The audience is the app's URL at the first attach.
 */
export async function startReleaseRelay(cluster: ControlPlane, dir: string, audience: string): Promise<Child<string>> {
  mkdirSync(dir, { recursive: true });
  const get = async (...args: string[]): Promise<Readonly<Record<string, string>>> =>
    dataSchema.parse(JSON.parse(await kubectlOutput(['get', ...args, '-n', namespace, '-o', 'json'], cluster.kubectl)))
      .data;
  const token = (...args: string[]): Promise<string> =>
    kubectlOutput(['create', 'token', 'relay', '-n', namespace, ...args], cluster.kubectl);
  const file = (name: string, text: string): string => {
    const path = join(dir, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const rendered = configSchema.parse(JSON.parse((await get('configmap', 'relay-config'))['config.json'] ?? ''));
  const pair = await get('secret', 'relay');
  const pem = (key: string): string => Buffer.from(pair[key] ?? '', 'base64').toString();
  const ca = file('ca.crt', cluster.caPem);
  const config = {
    ...rendered,
    apiServer: { url: cluster.url, caFile: ca, tokenFile: file('token', await token()) },
    app: { ...rendered.app, tokenFile: file('app-token', await token('--audience', audience)) },
    listenAddress: '127.0.0.1',
    serving: { certFile: file('tls.crt', pem('tls.crt')), keyFile: file('tls.key', pem('tls.key')) },
    kubeletClientCaFile: ca,
    health: { address: '127.0.0.1', port: 0 },
  };
  const bundle = file('relay.mjs', (await get('configmap', 'relay-bundle'))['relay.mjs'] ?? '');
  return startChild({
    name: 'relay',
    command: process.execPath,
    args: [...relayNodeFlags, bundle, '--config', file('config.json', JSON.stringify(config))],
    logFile: join(dir, 'relay.log'),
    stdin: 'pipe',
    ready: (line) => (line.startsWith('{"ready"') ? line : undefined),
    readyTimeoutMs: 30_000,
  });
}
