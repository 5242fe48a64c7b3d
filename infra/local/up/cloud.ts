import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureImages } from '../aci/images.ts';
import { endLeftovers } from '../leftovers.ts';
import type { Progress } from '../../cli/progress.ts';
import { openAppDoor } from './app-door.ts';
import { startAzurite } from './azurite.ts';
import { bundle } from './bundle.ts';
import { removeCloudRecord, writeCloudRecord } from './cloud-record.ts';
import { chooseCluster, startCluster, useCluster, writeKubeconfig } from './cluster.ts';
import type { Cluster, ClusterKind } from './cluster.ts';
import { startEmbedded } from './embedded-cluster.ts';
import { chooseRuntime, describeProcesses, emulatedSubnet, startEmulator } from './emulator.ts';
import type { Emulator } from './emulator.ts';
import { isFirstStart } from './first-start.ts';
import { bringUpMachine, clearOrdinaryNode } from './ordinary-node.ts';
import { chooseCoreDns } from './names.ts';
import { needsIdentityEndpoint, startIdentityEndpoint } from './identity.ts';
import type { UpOptions } from './options.ts';
import { Parts } from './parts.ts';
import type { RealHostControl } from './real-host-control.ts';
import { bringUpAgent } from './agent.ts';
import { bringUpRegistry } from './registry.ts';
import { bringUpRelay } from './relay-choice.ts';
import { nodeName, startAttached, startFixed } from './node-in-cluster.ts';
import type { Detour } from './node-in-cluster.ts';
import { waitForNode } from './wait-for-node.ts';

/** The running laptop cloud. */
export interface Cloud {
  readonly cluster: Cluster;
  readonly kubeconfig: string;
  readonly emulator: Emulator | undefined;
  /** The stand-in's control port; the real host has none. */
  readonly hostAdminUrl: string | undefined;
  /** The real host's one instance, where it is the host. */
  readonly realHost: RealHostControl | undefined;
  /** Pending until a part ends that nobody stopped; then a sentence. */
  readonly failed: Promise<string>;
  /** SIGKILLs the relay; resolves when it is gone. Safe to repeat. */
  killRelay(): Promise<void>;
  /** Starts the relay again after {@link killRelay}; resolves when it is ready. */
  startRelay(): Promise<void>;
  stop(): Promise<void>;
}

/** Brings everything up, one progress line each, and attaches the node. On a failure what had started is stopped. */
export async function startCloud(options: UpOptions, progress: Progress, detour?: Detour): Promise<Cloud> {
  const parts = new Parts();
  try {
    return await bringUp(options, { progress, detour }, parts);
  } catch (error) {
    await parts.stop();
    throw error;
  }
}

async function bringUp(
  options: UpOptions,
  { progress, detour }: { readonly progress: Progress; readonly detour: Detour | undefined },
  parts: Parts,
): Promise<Cloud> {
  const { dir } = options;
  mkdirSync(join(dir, 'logs'), { recursive: true, mode: 0o700 });
  await endLeftovers(join(dir, 'run'));
  await clearOrdinaryNode(dir);
  const hasNoPast = isFirstStart(dir) && options.arm.endpoint === undefined;
  const bundled = progress.step('bundle', () => bundle(dir, (line) => progress.line(line)));
  const azurite = progress.step('Azurite', async (report) => {
    const started = await startAzurite(dir);
    parts.add(started.child, 1000);
    report(`tables at 127.0.0.1:${started.port}`);
    return started.connectionString;
  });
  parts.await(bundled);
  parts.await(azurite);
  const { kind, why } = await chooseCluster(options);
  const emulator =
    options.arm.endpoint === undefined ? await bringUpEmulator(options, { progress, parts, kind }) : undefined;
  for (const line of why) progress.line(line);
  const cluster = await bringUpCluster(kind, options, { progress, parts, emulator });
  const kubeconfig = join(dir, 'kubeconfig');
  writeKubeconfig(cluster, kubeconfig);
  const [connectionString] = await Promise.all([azurite, bundled]);
  const gateway = emulator?.child.value.bridge?.gateway;
  const door = await openAppDoor(gateway, parts);
  const settings = {
    arm: armOf(options, emulator),
    connectionString,
    createsPerHour: options.createsPerHour,
    subnetId: gateway === undefined ? undefined : emulatedSubnet(options.arm),
    identity: await identityOf(options, emulator, parts),
    registryEndpoints: emulator?.registryEndpoints,
    appUrl: door.url,
    agent: await bringUpAgent({ dir, registries: emulator?.registryEndpoints }, progress),
  };
  const ground = { options, progress, parts, cluster, kubeconfig, gateway, settings };
  const { host, attachment, port, ...installed } =
    cluster.kind === 'embedded' || detour !== undefined
      ? await startFixed(ground, { detour, hasNoPast })
      : await startAttached(ground);
  door.leadTo(host.url);
  if (options.machine)
    await progress.step('ordinary node', (report) => bringUpMachine({ dir, cluster, emulator }, parts, report));
  const relay = await progress.step('relay', async (report) => {
    const node = { name: nodeName, port };
    const aciCaFile = settings.arm.caFile;
    const wanted = { kind: options.relay, dir, cluster, attachment, node, address: options.nodeAddress, aciCaFile };
    const control = await bringUpRelay({ ...wanted, appUrl: host.url }, parts, progress);
    report(`kubelet port ${port}`);
    return control;
  });
  await progress.step('node', (report) => waitForNode(cluster.administrator, nodeName, report));
  writeCloudRecord(dir, {
    kubeconfig,
    kubectl: cluster.kubectl,
    cluster: cluster.kind,
    relay: options.relay,
    audience: attachment.audience,
    ...installed,
    nodes: [nodeName],
    hostUrl: host.url,
    hostAdminUrl: host.adminUrl,
    emulatorAdminUrl: emulator?.child.value.adminUrl,
    pids: { ...parts.pids(), ...(host.real === undefined ? {} : { functions: host.real.pid }) },
  });
  return {
    cluster,
    kubeconfig,
    emulator,
    hostAdminUrl: host.adminUrl,
    realHost: host.real,
    failed: parts.failed,
    killRelay: () => relay.kill(),
    startRelay: () => relay.start(),
    stop: async () => {
      await parts.stop();
      removeCloudRecord(dir);
    },
  };
}

async function bringUpEmulator(
  options: UpOptions,
  { progress, parts, kind }: { readonly progress: Progress; readonly parts: Parts; readonly kind: ClusterKind },
): Promise<Emulator> {
  const runtime = await chooseRuntime(options.runtime);
  if (runtime === 'engine') await progress.step('images', (report) => ensureImages({ log: report }));
  else progress.line(await describeProcesses(options.runtime));
  const coredns = await chooseCoreDns(kind, runtime, progress);
  const registryEndpoints = runtime === 'engine' ? await bringUpRegistry(options.dir, progress, parts) : undefined;
  return progress.step('ARM and ACI emulator', async (report) => {
    const emulator = await startEmulator(options.dir, runtime, { ...options, registryEndpoints, coredns });
    parts.add(emulator.child, 30_000);
    report(`${emulator.child.value.armUrl}  ${runtime}`);
    return emulator;
  });
}

async function bringUpCluster(
  kind: ClusterKind,
  options: UpOptions,
  input: { progress: Progress; parts: Parts; emulator: Emulator | undefined },
): Promise<Cluster> {
  const cluster = await openCluster(kind, options, input);
  input.parts.addStop(async () => {
    cluster.administrator.close();
    await cluster.stop();
  }, cluster.failed);
  return cluster;
}

function openCluster(
  kind: ClusterKind,
  options: UpOptions,
  { progress, emulator }: { progress: Progress; emulator: Emulator | undefined },
): Promise<Cluster> {
  const gateway = emulator?.child.value.bridge?.gateway;
  const binary = emulator?.coredns;
  switch (kind) {
    case 'given':
      return useCluster(options.kubeconfig ?? '');
    case 'real':
      return startCluster(options.dir, {
        progress,
        gateway,
        dns: binary === undefined ? undefined : { binary, upstream: emulator?.child.value.resolver },
      });
    case 'embedded':
      return startEmbedded(options.dir, { progress, gateway });
  }
}

/** The emulator's identity endpoint, one of our own for a test server on this machine, or what the environment has. */
async function identityOf(
  options: UpOptions,
  emulator: Emulator | undefined,
  parts: Parts,
): Promise<{ readonly url: string; readonly header: string } | undefined> {
  if (emulator !== undefined) return { url: emulator.child.value.identityUrl, header: emulator.identityHeader };
  if (options.arm.endpoint === undefined || !needsIdentityEndpoint(options.arm.endpoint, process.env)) return undefined;
  const identity = await startIdentityEndpoint();
  parts.addStop(() => identity.close(), undefined);
  return identity;
}

function armOf(options: UpOptions, emulator: Emulator | undefined): UpOptions['arm'] & { readonly endpoint: string } {
  const endpoint = emulator?.child.value.armUrl ?? options.arm.endpoint;
  if (endpoint === undefined) throw new Error('an ARM endpoint is either given or emulated');
  return { ...options.arm, endpoint, caFile: emulator?.caFile ?? options.arm.caFile };
}
