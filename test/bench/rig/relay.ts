import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from '../../../infra/local/child.ts';
import type { Child } from '../../../infra/local/child.ts';
import { createCertificateAuthority, issueCertificate } from '../../../infra/local/pki.ts';
import { relayNodeFlags } from '../../../infra/local/up/relay.ts';
import type { ClusterReady } from './cluster.ts';

export interface RelayStart {
  readonly entry: string;
  readonly cluster: ClusterReady;
  readonly appUrl: string;
  readonly node: string;
  readonly env: NodeJS.ProcessEnv;
}

/** The bundled relay, with the flags that it is deployed with. */
export async function startBenchRelay(dir: string, start: RelayStart): Promise<Child<true>> {
  const { cluster } = start;
  const folder = join(dir, 'relay');
  mkdirSync(folder, { recursive: true });
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const authority = await createCertificateAuthority('benchmark kubelet');
  const serving = await issueCertificate(authority, {
    commonName: `system:node:${start.node}`,
    organizations: ['system:nodes'],
    ipAddresses: ['127.0.0.1'],
    usages: ['server'],
  });
  const config = {
    clusterUid: cluster.clusterUid,
    apiServer: {
      url: cluster.url,
      caFile: file('api-server-ca.crt', cluster.caPem),
      tokenFile: file('api-server-token', cluster.relayToken),
    },
    app: { url: start.appUrl, tokenFile: file('app-token', cluster.relayAppToken) },
    nodes: [{ name: start.node, port: 0 }],
    listenAddress: '127.0.0.1',
    serving: { certFile: file('kubelet.crt', serving.certPem), keyFile: file('kubelet.key', serving.keyPem) },
    kubeletClientCaFile: file('kubelet-client-ca.crt', authority.certPem),
    health: { address: '127.0.0.1', port: 0 },
  };
  return startChild({
    name: 'relay',
    command: process.execPath,
    args: [...relayNodeFlags, start.entry, '--config', file('config.json', JSON.stringify(config))],
    env: { ...process.env, ...start.env },
    logFile: join(dir, 'relay.log'),
    stdin: 'pipe',
    ready: (line) => (line.startsWith('{"ready"') ? (true as const) : undefined),
    readyTimeoutMs: 30_000,
  });
}

/** Resident memory of a process in MiB; undefined where the operating system has no /proc. */
export function residentMiB(pid: number): number | undefined {
  try {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) / 1024;
  } catch {
    return undefined;
  }
}

/** Processor time that a process has used so far, in seconds; its children not counted. */
export function processorSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}
