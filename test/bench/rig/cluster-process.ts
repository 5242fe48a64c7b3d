/** A cluster as a process of its own, attached for one node, with its journal on a loopback port. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { ensureControlPlane } from '../../../infra/local/cluster/build.ts';
import { startControlPlane } from '../../../infra/local/cluster/control-plane.ts';
import { startEmbeddedCluster } from '../../../infra/local/cluster/embedded/embedded-cluster.ts';
import { kubectlOutput } from '../../../infra/local/cluster/kubectl.ts';
import { silentProgress } from '../../../infra/cli/progress.ts';
import type { Administrator } from '../../../infra/local/up/administrator.ts';
import { apiAdministrator } from '../../../infra/local/up/api-administrator.ts';
import { kubectlAdministrator } from '../../../infra/local/up/kubectl-administrator.ts';
import { appAudience } from '../../../infra/local/up/settings.ts';
import type { ClusterReady } from './cluster.ts';

const dayInSeconds = 86_400;

interface Running {
  readonly url: string;
  readonly caPem: string;
  readonly adminToken: string;
  readonly administrator: Administrator;
  readonly journal: { clear(): void; entries(): readonly object[] };
  stop(): Promise<void>;
}

async function startEmbedded(dir: string): Promise<Running> {
  const cluster = await startEmbeddedCluster({ dir });
  const { url, caPem, adminToken, journal } = cluster;
  const administrator = apiAdministrator(readFileSync(cluster.kubeconfigPath, 'utf8'));
  return { url, caPem, adminToken, administrator, journal, stop: () => Promise.resolve() };
}

async function startReal(dir: string): Promise<Running> {
  const progress = silentProgress;
  const binaries = await ensureControlPlane({ progress });
  const plane = await startControlPlane({ stateDir: dir, binaries, progress });
  const run = (...args: string[]): Promise<string> => kubectlOutput(args, plane.kubectl);
  await run('create', 'serviceaccount', 'benchmark', '-n', 'kube-system');
  await run(
    'create',
    'clusterrolebinding',
    'benchmark',
    '--clusterrole=cluster-admin',
    '--serviceaccount=kube-system:benchmark',
  );
  return {
    url: plane.url,
    caPem: plane.caPem,
    adminToken: (await run('create', 'token', 'benchmark', '-n', 'kube-system', '--duration=24h')).trim(),
    administrator: kubectlAdministrator(plane.kubectl),
    journal: { clear: () => undefined, entries: () => [] },
    stop: () => plane.stop(),
  };
}

async function main(dir: string, node: string, kind: string): Promise<Running> {
  const cluster = await (kind === 'real' ? startReal : startEmbedded)(join(dir, 'cluster'));
  const { administrator, journal } = cluster;
  const attachment = await administrator.attach([node]);
  const relayAppToken = await administrator.requestToken({
    namespace: attachment.namespace,
    serviceAccount: attachment.relayServiceAccount,
    audience: appAudience,
    durationSeconds: dayInSeconds,
  });
  administrator.close();
  const control = createServer((request, response) => {
    if (request.method === 'DELETE') journal.clear();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(request.method === 'DELETE' ? '{}' : JSON.stringify(journal.entries()));
  });
  await new Promise<void>((resolve) => void control.listen(0, '127.0.0.1', resolve));
  const address = control.address();
  const ready: ClusterReady & { readonly ready: true } = {
    ready: true,
    url: cluster.url,
    controlUrl: `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`,
    caPem: cluster.caPem,
    clusterUid: attachment.clusterUid,
    appToken: attachment.appToken,
    relayToken: attachment.relayToken,
    adminToken: cluster.adminToken,
    relayAppToken: relayAppToken.token,
  };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  return cluster;
}

const [dir = '.', node = 'aci-1', kind = 'embedded'] = process.argv.slice(2);
const starting = main(dir, node, kind);
let isStopping = false;
const stop = async (): Promise<void> => {
  if (isStopping) return;
  isStopping = true;
  await (await starting).stop();
  process.exit(0);
};
process.on('SIGTERM', () => void stop());
process.stdin.on('end', () => void stop()).resume();
await starting;
