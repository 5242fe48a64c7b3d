import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type KubernetesClient, createKubernetesClient } from '../../../shared/adapters/kubernetes/http.ts';
import type { Log } from '../../../shared/ports/log.ts';
import { AppClient } from './app/app-client.ts';
import { Poster } from './app/poster.ts';
import type { RelayConfig, RelayNode } from './config.ts';
import { openHealthPort } from './health-port.ts';
import { NodeHeart } from './hearts/node-heart.ts';
import { KubeletPort } from './kubelet/kubelet-port.ts';
import { Reviews } from './kubelet/reviews.ts';
import { Reflector } from './pods/reflector.ts';
import { tokenFile } from './token-file.ts';

/** A relay that serves. */
export interface Relay {
  /** Of each node's kubelet API. */
  readonly ports: Readonly<Record<string, number>>;
  readonly healthPort: number;
  /** Whether every node's first list is done. */
  readonly isReady: () => boolean;
  /** Ends connections, watches and timers; resolves when nothing is left. Safe to repeat. */
  close(): Promise<void>;
}

const userAgent = 'serverless-kubelet-relay';
const requestTimeoutMs = 30_000;

/** Starts everything. Rejects, leaving nothing behind, when a file can't be read or a port is taken. */
export async function startRelay(config: RelayConfig, log: Log): Promise<Relay> {
  const stop = new AbortController();
  const ends: (() => Promise<void> | void)[] = [];
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= closeAll(stop, ends);
    return closing;
  };
  try {
    return await start(config, { log, signal: stop.signal, ends, close });
  } catch (error) {
    await close();
    throw error;
  }
}

interface Starting {
  readonly log: Log;
  readonly signal: AbortSignal;
  /** What is to be ended, in the order of starting. */
  readonly ends: (() => Promise<void> | void)[];
  readonly close: () => Promise<void>;
}

async function start(config: RelayConfig, { log, signal, ends, close }: Starting): Promise<Relay> {
  const client = kubernetesClient(config);
  ends.push(() => client.close());
  const app = appClient(config);
  ends.push(() => app.close());
  const reflectors: Reflector[] = [];
  const hasPods = (): boolean => reflectors.some((reflector) => reflector.size > 0);
  const poster = new Poster({ app, epoch: randomUUID(), hasPods, log, random: Math.random });
  ends.push(() => poster.close());
  const reviews = new Reviews(client);
  const ports: Record<string, number> = {};
  for (const node of config.nodes) {
    const context = { node: node.name, client, app, log };
    const files = { ...(node.serving ?? config.serving), clientCaFile: config.kubeletClientCaFile };
    const port = await KubeletPort.open({ context, reviews, files, address: config.listenAddress, port: node.port });
    ends.push(() => port.close());
    ports[node.name] = port.port;
  }
  const isReady = (): boolean => reflectors.length > 0 && reflectors.every((reflector) => reflector.isListed);
  const health = await openHealthPort({ isReady }, config.health);
  ends.push(() => {
    health.close();
    health.closeAllConnections();
  });
  const running = config.nodes.flatMap((node) => runNode(node, { client, poster, log, signal, reflectors }));
  ends.unshift(async () => {
    await Promise.all(running);
  });
  const address = health.address();
  return { ports, healthPort: typeof address === 'object' ? (address?.port ?? 0) : 0, isReady, close };
}

interface NodeParts {
  readonly client: KubernetesClient;
  readonly poster: Poster;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly reflectors: Reflector[];
}

function runNode({ name }: RelayNode, { client, poster, log, signal, reflectors }: NodeParts): Promise<void>[] {
  const reflector = new Reflector({ client, node: name, sink: poster, log, random: Math.random });
  reflectors.push(reflector);
  const heart = new NodeHeart({
    client,
    node: name,
    tick: () => poster.tickNow(),
    isRemoved: () => poster.isRemoved(name),
    log,
  });
  return [reflector.run(signal), heart.run(signal)];
}

async function closeAll(stop: AbortController, ends: readonly (() => Promise<void> | void)[]): Promise<void> {
  stop.abort();
  for (const end of ends.toReversed()) await end();
}

const kubernetesClient = ({ apiServer }: RelayConfig): KubernetesClient =>
  createKubernetesClient({
    server: apiServer.url,
    caPem: readFileSync(apiServer.caFile, 'utf8'),
    getToken: tokenFile(apiServer.tokenFile),
    requestTimeoutMs,
    userAgent,
  });

const appClient = ({ app, clusterUid }: RelayConfig): AppClient =>
  new AppClient({ url: app.url, caFile: app.caFile, getToken: tokenFile(app.tokenFile), clusterUid, userAgent });
