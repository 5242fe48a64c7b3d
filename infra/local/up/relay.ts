import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { startChild } from '../child.ts';
import type { Child } from '../child.ts';
import type { Attachment } from '../cluster/attach.ts';
import type { KeyPair } from '../pki.ts';
import { writeSecretFile } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { repository } from './host.ts';

const readySchema = z.object({ ready: z.literal(true), ports: z.record(z.string(), z.number()), health: z.number() });

export type RelayReady = z.infer<typeof readySchema>;

/** What the relay is in the cluster and toward the app. */
export type RelayAttachment = Pick<Attachment, 'clusterUid' | 'namespace' | 'relayServiceAccount' | 'relayToken'> & {
  /** Of its token for the app. */
  readonly audience: string;
};

export interface RelayInput {
  readonly dir: string;
  readonly cluster: Cluster;
  readonly attachment: RelayAttachment;
  /** Without `/api`. */
  readonly appUrl: string;
  readonly node: { readonly name: string; readonly port: number };
  /** Where the kubelet port listens: the node's address. */
  readonly address: string;
  readonly certificate: KeyPair;
  /** Of the authority of a test server, which sessions with containers are trusted by besides the system's. */
  readonly aciCaFile: string | undefined;
}

const tokenSeconds = 86_400;

/**
 * How the relay is run, here and in a cluster: small before fast, since its work is waiting. With a thousand pods it holds
 * about 75 MiB so, 44 of them the mapped program; some 20 more without.
 */
export const relayNodeFlags = ['--max-semi-space-size=1', '--max-old-space-size=128', '--lite-mode'] as const;

/** The bundled relay as a process of its own, with its configuration and keys under `dir/relay`. */
export async function startRelay(input: RelayInput): Promise<Child<RelayReady>> {
  return startChild({
    name: 'relay',
    command: process.execPath,
    args: [...relayNodeFlags, join(repository, 'dist/relay/relay.mjs'), '--config', await writeConfig(input)],
    logFile: join(input.dir, 'logs', 'relay.log'),
    pidDir: join(input.dir, 'run'),
    stdin: 'pipe',
    ready: (line) => (line.startsWith('{"ready"') ? readySchema.parse(JSON.parse(line)) : undefined),
    readyTimeoutMs: 30_000,
  });
}

/** The relay's configuration and all files that it names, in `dir/relay`; answers the configuration's path. */
export async function writeConfig(input: RelayInput): Promise<string> {
  const { cluster, attachment, certificate, node } = input;
  const folder = join(input.dir, 'relay');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = (name: string, text: string): string => writeSecretFile(join(folder, name), text);
  const appToken = await cluster.administrator.requestToken({
    namespace: attachment.namespace,
    serviceAccount: attachment.relayServiceAccount,
    audience: attachment.audience,
    durationSeconds: tokenSeconds,
  });
  const config = {
    clusterUid: attachment.clusterUid,
    apiServer: {
      url: cluster.server,
      caFile: file('api-server-ca.crt', cluster.caPem),
      tokenFile: file('api-server-token', attachment.relayToken),
    },
    app: { url: input.appUrl, tokenFile: file('app-token', appToken.token) },
    ...(input.aciCaFile === undefined ? {} : { aci: { caFile: input.aciCaFile } }),
    nodes: [node],
    listenAddress: input.address,
    serving: { certFile: file('kubelet.crt', certificate.certPem), keyFile: file('kubelet.key', certificate.keyPem) },
    kubeletClientCaFile: file('kubelet-client-ca.crt', cluster.kubeletClientCaPem),
    health: { address: '127.0.0.1', port: 0 },
  };
  return file('config.json', `${JSON.stringify(config, undefined, 2)}\n`);
}
