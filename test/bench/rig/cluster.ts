import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import * as z from 'zod';
import { startChild } from '../../../infra/local/child.ts';
import type { Child } from '../../../infra/local/child.ts';
import type { Rig } from './bundles.ts';
import type { WorldTime } from './time.ts';

const ready = z.object({
  url: z.string(),
  controlUrl: z.string(),
  caPem: z.string(),
  clusterUid: z.string(),
  /** Bearer tokens for the API server: of the app, the relay and an administrator. */
  appToken: z.string(),
  relayToken: z.string(),
  adminToken: z.string(),
  /** The relay's token whose audience is the app. */
  relayAppToken: z.string(),
});
const journal = z.array(
  z.object({
    atMs: z.number(),
    method: z.string(),
    path: z.string(),
    status: z.number(),
    /** Whom the caller acts as; empty for itself. */
    user: z.string().default(''),
  }),
);

export type ApiRequest = z.infer<typeof journal>[number];
export type ClusterReady = z.infer<typeof ready>;

/** What a watcher of the pods is reported, with the time at which it heard of it. */
export interface PodNews {
  readonly atMs: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly name: string;
  readonly uid: string;
  readonly phase: string;
  /** Its condition Ready is True. */
  readonly isReady: boolean;
}

const news = z.object({
  type: z.enum(['ADDED', 'MODIFIED', 'DELETED']),
  object: z.object({
    metadata: z.object({ name: z.string(), uid: z.string() }),
    status: z
      .object({
        phase: z.string().default(''),
        conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
      })
      .prefault({}),
  }),
});
const created = z.object({ metadata: z.object({ uid: z.string() }) });

export type JsonBody = Readonly<Record<string, unknown>>;

export interface BenchCluster {
  readonly child: Child<ClusterReady>;
  /** Every request since the start or the last `forget`, those of this benchmark included; of a real cluster none is known. */
  requests(): Promise<readonly ApiRequest[]>;
  forget(): Promise<void>;
  /** Creates a pod as an administrator; answers its UID. */
  createPod(manifest: JsonBody): Promise<string>;
  deletePod(name: string): Promise<void>;
  /** All that happened to pods since the start, from a watch as any client has it. */
  news(): readonly PodNews[];
  stop(): Promise<void>;
}

interface ClusterWanted {
  readonly node: string;
  readonly kind: Rig['cluster'];
  readonly time: WorldTime;
}

/** The cluster as a process of its own, spoken to over HTTPS as by any client. */
export async function startBenchCluster(dir: string, { node, kind, time }: ClusterWanted): Promise<BenchCluster> {
  const child = await startChild({
    name: 'cluster',
    command: process.execPath,
    args: [join(import.meta.dirname, 'cluster-process.ts'), dir, node, kind],
    env: { ...process.env, ...time.env },
    logFile: join(dir, 'cluster.log'),
    stdin: 'pipe',
    ready: (line) => (line.startsWith('{"ready"') ? ready.parse(JSON.parse(line)) : undefined),
    readyTimeoutMs: 120_000,
  });
  const { controlUrl } = child.value;
  const agent = new Agent({ keepAlive: true, maxSockets: 16, ca: child.value.caPem });
  const heard: PodNews[] = [];
  const stopWatch = watchPods(child.value, (pod) => void heard.push({ ...pod, atMs: time.now() }));
  return {
    child,
    requests: async () => journal.parse(await (await fetch(controlUrl)).json()),
    forget: async () => {
      await fetch(controlUrl, { method: 'DELETE' });
    },
    createPod: async (manifest) => {
      const answer = await call(child.value, agent, { method: 'POST', path: podsPath, body: manifest });
      return created.parse(JSON.parse(answer)).metadata.uid;
    },
    deletePod: async (name) => {
      await call(child.value, agent, { method: 'DELETE', path: `${podsPath}/${name}` });
    },
    news: () => heard,
    stop: async () => {
      stopWatch();
      agent.destroy();
      await child.stop(10_000);
    },
  };
}

const podsPath = '/api/v1/namespaces/default/pods';

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: JsonBody;
}

function call(cluster: ClusterReady, agent: Agent, { method, path, body }: Call): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${cluster.adminToken}`, 'content-type': 'application/json' };
    const sent = request(`${cluster.url}${path}`, { method, agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if ((response.statusCode ?? 0) < 300) resolve(text);
        else reject(new Error(`${method} ${path}: HTTP ${response.statusCode} ${text}`));
      });
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** A watch from now on, without end. Returns what ends it. */
function watchPods(cluster: ClusterReady, hear: (pod: Omit<PodNews, 'atMs'>) => void): () => void {
  const path = '/api/v1/pods?watch=true&resourceVersion=0&timeoutSeconds=3600';
  const sent = request(`${cluster.url}${path}`, {
    ca: cluster.caPem,
    headers: { authorization: `Bearer ${cluster.adminToken}` },
  });
  sent.on('error', () => undefined);
  sent.on('response', (response) => {
    response.on('error', () => undefined);
    // The lines end with the response, however that ends.
    const lines = createInterface({ input: response });
    lines.on('error', () => undefined);
    lines.on('line', (line) => {
      const parsed = news.safeParse(JSON.parse(line));
      if (!parsed.success) return;
      const { type, object } = parsed.data;
      const { name, uid } = object.metadata;
      const { phase, conditions } = object.status;
      hear({
        type,
        name,
        uid,
        phase,
        isReady: conditions.some((one) => one.type === 'Ready' && one.status === 'True'),
      });
    });
  });
  sent.end();
  return () => sent.destroy();
}
