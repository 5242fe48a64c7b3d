/** The embedded cluster as a process of its own, attached for one node, with its journal on a loopback port. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { startEmbeddedCluster } from '../../../infra/local/cluster/embedded/embedded-cluster.ts';
import { apiAdministrator } from '../../../infra/local/up/api-administrator.ts';
import { appAudience } from '../../../infra/local/up/settings.ts';
import type { ClusterReady } from './cluster.ts';

const dayInSeconds = 86_400;

async function main(dir: string, node: string): Promise<void> {
  const cluster = await startEmbeddedCluster({ dir: join(dir, 'cluster') });
  const administrator = apiAdministrator(readFileSync(cluster.kubeconfigPath, 'utf8'));
  const attachment = await administrator.attach([node]);
  const relayAppToken = await administrator.requestToken({
    namespace: attachment.namespace,
    serviceAccount: attachment.relayServiceAccount,
    audience: appAudience,
    durationSeconds: dayInSeconds,
  });
  administrator.close();
  const control = createServer((request, response) => {
    if (request.method === 'DELETE') cluster.journal.clear();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(request.method === 'DELETE' ? '{}' : JSON.stringify(cluster.journal.entries()));
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
}

process.on('SIGTERM', () => process.exit(0));
process.stdin.on('end', () => process.exit(0)).resume();
await main(process.argv[2] ?? '.', process.argv[3] ?? 'aci-1');
