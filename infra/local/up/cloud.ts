import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureImages } from '../aci/images.ts';
import type { Child } from '../child.ts';
import { endLeftovers } from '../leftovers.ts';
import { allocatePort } from '../ports.ts';
import type { Progress } from '../../cli/progress.ts';
import { startAzurite } from './azurite.ts';
import { appFolder, bundle } from './bundle.ts';
import { chooseCluster, startCluster, useCluster, writeKubeconfig } from './cluster.ts';
import type { Cluster, ClusterKind } from './cluster.ts';
import { startEmbedded } from './embedded-cluster.ts';
import { chooseRuntime, describeProcesses, emulatedSubnet, startEmulator } from './emulator.ts';
import type { Emulator } from './emulator.ts';
import { isFirstStart, startWithoutPast } from './first-start.ts';
import { startHost, writeSettings } from './host.ts';
import { needsIdentityEndpoint, startIdentityEndpoint } from './identity.ts';
import type { UpOptions } from './options.ts';
import { RealHostControl, realHostOf } from './real-host-control.ts';
import { bringUpRelay } from './relay-choice.ts';
import { appSettings } from './settings.ts';
import { waitForNode } from './wait-for-node.ts';

export const nodeName = 'aci-1';

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

/** What other commands (`npm run detach`) and tests need to know of a running cloud; `DIR/cloud.json`. */
export interface CloudRecord {
  readonly kubeconfig: string;
  /** Where no kubectl came with the cluster (`embedded`), its name alone. */
  readonly kubectl: string;
  readonly cluster: ClusterKind;
  /** `process`: there is nothing of it in the cluster. */
  readonly relay: UpOptions['relay'];
  readonly nodes: readonly string[];
  readonly hostUrl: string;
  readonly hostAdminUrl: string | undefined;
  readonly emulatorAdminUrl: string | undefined;
  readonly pids: Readonly<Record<string, number>>;
}

/** Changes the app's settings before the app starts: lets a test put something between it and the outside worlds. */
export type Detour = (settings: Record<string, string>) => Promise<Record<string, string>>;

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
  const hasNoPast = isFirstStart(dir) && options.arm.endpoint === undefined;
  const bundled = progress.step('bundle', () => bundle(dir));
  const azurite = progress.step('Azurite', async (report) => {
    const started = await startAzurite(dir);
    parts.add(started.child, 1000);
    report(`tables at 127.0.0.1:${started.port}`);
    return started.connectionString;
  });
  parts.await(bundled);
  parts.await(azurite);
  const emulator = options.arm.endpoint === undefined ? await bringUpEmulator(options, progress, parts) : undefined;
  const cluster = await bringUpCluster(options, { progress, parts, gateway: emulator?.child.value.bridge?.gateway });
  const kubeconfig = join(dir, 'kubeconfig');
  writeKubeconfig(cluster, kubeconfig);
  const attachment = await progress.step('attach', () => cluster.administrator.attach([nodeName]));
  const port = await allocatePort();
  const [connectionString] = await Promise.all([azurite, bundled]);
  const settings = appSettings({
    arm: armOf(options, emulator),
    connectionString,
    cluster,
    attachment,
    nodes: [{ name: nodeName, port }],
    nodeAddress: options.nodeAddress,
    createsPerHour: options.createsPerHour,
    subnetId: emulator?.child.value.bridge === undefined ? undefined : emulatedSubnet(options.arm),
    identity: await identityOf(options, emulator, parts),
  });
  if (hasNoPast) await startWithoutPast(settings);
  writeSettings(dir, detour === undefined ? settings : await detour(settings));
  const host = await progress.step('Functions host', (report) => bringUpHost(options, parts, report));
  const relay = await progress.step('relay', async (report) => {
    const wanted = {
      kind: options.relay,
      dir,
      cluster,
      attachment,
      appUrl: host.url,
      node: { name: nodeName, port },
      address: options.nodeAddress,
      gateway: emulator?.child.value.bridge?.gateway,
    };
    const control = await bringUpRelay(wanted, parts, progress);
    report(`kubelet port ${port}`);
    return control;
  });
  await progress.step('node', (report) => waitForNode(cluster.administrator, nodeName, report));
  const record: CloudRecord = {
    kubeconfig,
    kubectl: cluster.kubectl,
    cluster: cluster.kind,
    relay: options.relay,
    nodes: [nodeName],
    hostUrl: host.url,
    hostAdminUrl: host.adminUrl,
    emulatorAdminUrl: emulator?.child.value.adminUrl,
    pids: { ...parts.pids(), ...(host.real === undefined ? {} : { functions: host.real.pid }) },
  };
  writeFileSync(join(dir, 'cloud.json'), `${JSON.stringify(record, undefined, 2)}\n`);
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
      rmSync(join(dir, 'cloud.json'), { force: true });
    },
  };
}

interface RunningHost {
  readonly url: string;
  readonly adminUrl: string | undefined;
  readonly real: RealHostControl | undefined;
}

/** The stand-in, or one instance of the real host. */
async function bringUpHost(
  { dir, functionsHost }: UpOptions,
  parts: Parts,
  report: (detail: string) => void,
): Promise<RunningHost> {
  if (functionsHost === undefined) {
    const { value } = parts.add(await startHost(dir, appFolder(dir)), 10_000);
    report(value.url);
    return { ...value, real: undefined };
  }
  const real = await RealHostControl.launch({
    ...realHostOf(dir, functionsHost),
    name: 'functions',
    port: await allocatePort(),
  });
  parts.addStop(() => real.stop(), real.failed);
  report(`${real.url}  ${functionsHost.program}`);
  return { url: real.url, adminUrl: undefined, real };
}

async function bringUpEmulator(options: UpOptions, progress: Progress, parts: Parts): Promise<Emulator> {
  const runtime = await chooseRuntime(options.runtime);
  if (runtime === 'engine') {
    await progress.step('images', (report) => ensureImages({ log: report }));
  } else {
    progress.line(await describeProcesses(options.runtime));
  }
  return progress.step('ARM and ACI emulator', async (report) => {
    const emulator = await startEmulator(options.dir, runtime, options);
    parts.add(emulator.child, 30_000);
    report(`${emulator.child.value.armUrl}  ${runtime}`);
    return emulator;
  });
}

async function bringUpCluster(
  options: UpOptions,
  input: { progress: Progress; parts: Parts; gateway: string | undefined },
): Promise<Cluster> {
  const { kind, why } = await chooseCluster(options);
  for (const line of why) input.progress.line(line);
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
  input: { progress: Progress; gateway: string | undefined },
): Promise<Cluster> {
  switch (kind) {
    case 'given':
      return useCluster(options.kubeconfig ?? '');
    case 'real':
      return startCluster(options.dir, input);
    case 'embedded':
      return startEmbedded(options.dir, input);
  }
}

/** The emulator's identity endpoint, one of our own for a test server on this machine, or what the environment has. */
async function identityOf(
  options: UpOptions,
  emulator: Emulator | undefined,
  parts: Parts,
): Promise<{ readonly url: string; readonly header: string } | undefined> {
  if (emulator !== undefined) {
    return { url: emulator.child.value.identityUrl, header: emulator.identityHeader };
  }
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

/** What has been started, to be stopped in the opposite order. */
class Parts {
  readonly failed: Promise<string>;
  readonly #fail: (sentence: string) => void;
  readonly #stops: (() => Promise<unknown>)[] = [];
  readonly #children: Child<unknown>[] = [];
  readonly #starting: Promise<unknown>[] = [];
  #stopping: Promise<void> | undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.failed = promise;
    this.#fail = resolve;
  }

  add<T extends Child<unknown>>(child: T, graceMs: number): T {
    this.#children.push(child);
    this.#stops.push(() => child.stop(graceMs));
    void child.exited.then(
      () =>
        this.#stopping ??
        this.#fail(`${child.name} ended unexpectedly; its last lines, from ${child.logFile}:\n${child.lastLines()}`),
    );
    return child;
  }

  /** What runs beside the others, and may yet add a part: it is waited for before anything is stopped. Its failure is told where it is awaited. */
  await(starting: Promise<unknown>): void {
    this.#starting.push(starting.catch(() => undefined));
  }

  addStop(stop: () => Promise<unknown>, failed: Promise<string> | undefined): void {
    this.#stops.push(stop);
    void failed?.then((sentence) => this.#stopping ?? this.#fail(sentence));
  }

  pids(): Record<string, number> {
    return Object.fromEntries(this.#children.map((child) => [child.name, child.pid]));
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    await Promise.all(this.#starting);
    for (const stop of this.#stops.toReversed()) await stop();
  }
}
