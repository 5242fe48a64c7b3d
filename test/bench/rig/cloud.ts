import { mkdirSync } from 'node:fs';
import type { EmulatorOptions } from '../../../infra/local/aci/options.ts';
import type { Child } from '../../../infra/local/child.ts';
import { defined } from '../../../shared/core/defined.ts';
import { appAudience } from '../../../infra/local/up/settings.ts';
import { location, resourceGroup, startArm, subscription } from './arm.ts';
import type { BenchArm } from './arm.ts';
import { ageTables, startTables } from './azurite.ts';
import type { BenchTables } from './azurite.ts';
import type { Rig } from './bundles.ts';
import { startBenchCluster } from './cluster.ts';
import type { BenchCluster } from './cluster.ts';
import { startHost } from './host.ts';
import type { BenchHost } from './host.ts';
import type { AgentGround } from './agent-ground.ts';
import { createWorldTime } from './time.ts';
import type { WorldTime } from './time.ts';
import { processorSeconds, startBenchRelay } from './relay.ts';

export const node = 'aci-1';
export const installation = 'bench';
const tokenSetting = 'BENCH_CLUSTER_TOKEN';

/** The whole cloud on this machine: real processes and real HTTP between them. */
export interface Cloud {
  readonly arm: BenchArm;
  readonly tables: BenchTables;
  readonly cluster: BenchCluster;
  readonly host: BenchHost;
  readonly time: WorldTime;
  /** The relay's process, when there is one. */
  relay: Child<true> | undefined;
  startRelay(): Promise<void>;
  stopRelay(): Promise<void>;
  /** Processor seconds used so far, by part. */
  processorSeconds(): Promise<Readonly<Record<string, number>>>;
  stop(): Promise<void>;
}

export interface CloudOptions {
  readonly bundles: Rig;
  readonly dir: string;
  readonly knobs?: Partial<EmulatorOptions>;
  /** Pods that the node offers room for. */
  readonly pods?: number;
  /** False: the timers are held from the start. */
  readonly timers?: boolean;
  readonly relay?: boolean;
  readonly env?: NodeJS.ProcessEnv;
  /** How many times slower the cloud's time runs; 1 unless given. */
  readonly slowness?: number;
  /** What pods with the agent need. */
  readonly agent?: AgentGround;
}

/** Starts everything; on a failure what had started is stopped. */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const { dir, bundles } = options;
  mkdirSync(dir, { recursive: true });
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).toReversed()) await end();
  };
  const time = createWorldTime(options.slowness);
  try {
    const tables = await startTables(dir, installation, time.env);
    stops.push(() => tables.child.stop(1000));
    const arm = await startArm(dir, { knobs: options.knobs ?? {}, env: time.env, ...options.agent });
    stops.push(() => arm.child.stop(5000));
    const cluster = await startBenchCluster(dir, { node, kind: bundles.cluster, time });
    stops.push(() => cluster.stop());
    await ageTables(tables.table, { cluster: cluster.child.value.clusterUid, node }, time.now());
    const host = await startHost(dir, {
      app: bundles.app,
      settings: { ...settingsOf({ arm, tables, cluster, pods: options.pods ?? 5000 }), ...options.agent?.settings },
      ...defined({ port: options.agent?.port }),
      env: { ...process.env, ...time.env, ...options.env },
    });
    stops.push(() => host.child.stop(10_000));
    if (options.timers === false) await host.holdTimers(true);
    const cloud: Cloud = {
      arm,
      tables,
      cluster,
      host,
      time,
      relay: undefined,
      startRelay: async () => {
        cloud.relay = await startBenchRelay(dir, {
          entry: bundles.relay,
          cluster: cluster.child.value,
          appUrl: host.child.value.url,
          node,
          env: time.env,
        });
      },
      stopRelay: async () => {
        await cloud.relay?.stop(3000);
        cloud.relay = undefined;
      },
      processorSeconds: () => processorTimes(cloud),
      stop,
    };
    stops.push(() => cloud.stopRelay());
    if (options.relay !== false) await cloud.startRelay();
    return cloud;
  } catch (error) {
    await stop();
    throw error;
  }
}

async function processorTimes(cloud: Cloud): Promise<Record<string, number>> {
  const workers = await cloud.host.workers();
  const app = workers.reduce((total, { pid }) => total + (pid === undefined ? 0 : processorSeconds(pid)), 0);
  return {
    app,
    host: processorSeconds(cloud.host.child.pid),
    relay: cloud.relay === undefined ? 0 : processorSeconds(cloud.relay.pid),
    tables: processorSeconds(cloud.tables.child.pid),
    arm: processorSeconds(cloud.arm.child.pid),
    cluster: processorSeconds(cloud.cluster.child.pid),
  };
}

interface Parts extends Pick<Cloud, 'arm' | 'tables' | 'cluster'> {
  readonly pods: number;
}

function settingsOf({ arm, tables, cluster, pods }: Parts): Record<string, string> {
  const { url, caPem, clusterUid, appToken } = cluster.child.value;
  const registration = {
    name: 'bench',
    uid: clusterUid,
    server: url,
    certificateAuthority: caPem,
    auth: { kind: 'token', setting: tokenSetting },
    version: 'v1.36.3',
    relay: { audience: appAudience, serviceAccount: 'serverless-kubelet:relay' },
    nodes: [{ name: node, address: '127.0.0.1', port: 10_250, pods, cpu: '5000', memory: '20000Gi' }],
  };
  return {
    FUNCTIONS_WORKER_RUNTIME: 'node',
    INSTALLATION: installation,
    AZURE_SUBSCRIPTION_ID: subscription,
    AZURE_RESOURCE_GROUP: resourceGroup,
    AZURE_LOCATION: location,
    // ACI's counts are lifted; ARM's buckets are not.
    ACI_CREATES_PER_HOUR: '900000',
    ACI_CREATES_PER_5_MINUTES: '900000',
    ARM_ENDPOINT: arm.child.value.armUrl,
    ARM_CERTIFICATE_AUTHORITY_FILE: arm.caFile,
    IDENTITY_ENDPOINT: arm.child.value.identityUrl,
    IDENTITY_HEADER: arm.identityHeader,
    AzureWebJobsStorage: tables.connectionString,
    CLUSTERS: JSON.stringify([registration]),
    [tokenSetting]: appToken,
  };
}
