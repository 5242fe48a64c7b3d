/** How the cloud's node comes into its cluster, and the app to know it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Progress } from '../../cli/progress.ts';
import { changeRegistrations, openRegistrations } from '../../cli/registrations.ts';
import { parseSettings } from '../../../shared/wire/settings.ts';
import { chartValues, openAppFront, prepareNamespace } from '../chart/chart-relay.ts';
import { accessDefaults, readClusterUid } from '../cluster/attach.ts';
import { ensureHelm } from '../cluster/helm.ts';
import { allocatePort } from '../ports.ts';
import { attachNode } from './attach-node.ts';
import type { AttachWanted, Attached } from './attach-node.ts';
import { writeSecretFile } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { readSettings } from './command-line.ts';
import { startWithoutPast } from './first-start.ts';
import { repository, settingsFile, writeSettings } from './host.ts';
import type { UpOptions } from './options.ts';
import type { Parts } from './parts.ts';
import type { RelayAttachment } from './relay.ts';
import { bringUpHost } from './running-host.ts';
import type { RunningHost } from './running-host.ts';
import { appAudience, appSettings } from './settings.ts';
import type { SettingsInput } from './settings.ts';

export const nodeName = 'aci-1';

/**
 * Changes the app's settings before the app starts: lets a test put something between it and the outside worlds. The
 * cluster is then one of the setting CLUSTERS, as it is where the cluster is embedded.
 */
export type Detour = (settings: Record<string, string>) => Promise<Record<string, string>>;

/** What there is before the app. */
export interface Ground {
  readonly options: UpOptions;
  readonly progress: Progress;
  readonly parts: Parts;
  readonly cluster: Cluster;
  /** Of the administrator. */
  readonly kubeconfig: string;
  /** Of the containers' bridge, on this machine. */
  readonly gateway: string | undefined;
  readonly settings: Omit<SettingsInput, 'fixed'>;
}

export interface NodeInCluster {
  readonly host: RunningHost;
  readonly attachment: RelayAttachment;
  /** Of the relay. */
  readonly port: number;
  /** Whether `attach` registered it. */
  readonly isAttached: boolean;
  readonly helm?: string;
  readonly caFile?: string;
}

const startApp = ({ options, parts, progress }: Ground): Promise<RunningHost> =>
  progress.step('Functions host', (report) => bringUpHost(options, parts, report));

const pollMs = 10_000;

/** A folder's app serves the one cluster that is started: those of earlier starts, which it can't reach, are forgotten. */
async function forgetOthers(values: Readonly<Record<string, string>>, uid: string | undefined): Promise<void> {
  const parsed = parseSettings(values);
  if (!parsed.ok) throw new Error(`settings of our own: ${parsed.faults.map(({ name }) => name).join(', ')}`);
  await changeRegistrations(
    openRegistrations(parsed.settings),
    (clusters) => (clusters.every((one) => one.uid === uid) ? undefined : clusters.filter((one) => one.uid === uid)),
    AbortSignal.timeout(pollMs),
  );
}

/** By the setting CLUSTERS and the rights of `core/access` alone: where there is neither a chart nor a blob before the app. */
export async function startFixed(
  ground: Ground,
  { detour, hasNoPast }: { readonly detour: Detour | undefined; readonly hasNoPast: boolean },
): Promise<NodeInCluster> {
  const { options, progress, cluster } = ground;
  const attachment = await progress.step('attach', () => cluster.administrator.attach([nodeName]));
  const port = await allocatePort();
  const fixed = { cluster, attachment, nodes: [{ name: nodeName, port }], nodeAddress: options.nodeAddress };
  const settings = appSettings({ ...ground.settings, fixed });
  if (hasNoPast) await startWithoutPast(settings);
  else await forgetOthers(settings, undefined);
  writeSettings(options.dir, detour === undefined ? settings : await detour(settings));
  return {
    host: await startApp(ground),
    attachment: { ...attachment, audience: appAudience },
    port,
    isAttached: false,
  };
}

/** As an operator does: the app first, without a cluster, then `attach`. */
export async function startAttached(ground: Ground): Promise<NodeInCluster> {
  const { options, progress, cluster } = ground;
  const settings = { ...appSettings(ground.settings), ...keptTokens(options.dir) };
  await forgetOthers(settings, await readClusterUid({ binary: cluster.kubectl, kubeconfig: cluster.kubeconfig }));
  writeSettings(options.dir, settings);
  const host = await startApp(ground);
  const attached = await progress.step('attach', (report) =>
    options.relay === 'chart' ? attachWithChart(ground, host, report) : attachWithProcess(ground, host, report),
  );
  return { ...attached, host, isAttached: true };
}

/** Those that an earlier `attach` wrote: it makes a new one only where they will not do. */
function keptTokens(dir: string): Record<string, string> {
  if (!existsSync(settingsFile(dir))) return {};
  return Object.fromEntries(Object.entries(readSettings(dir)).filter(([name]) => name.startsWith('CLUSTER_TOKEN_')));
}

type Way = Omit<NodeInCluster, 'host' | 'isAttached'>;

/** The relay is a process of this machine: its rights are those of `core/access`, and the chart is left out. */
async function attachWithProcess(ground: Ground, host: RunningHost, report: (detail: string) => void): Promise<Way> {
  const granted = await ground.cluster.administrator.attach([nodeName], {
    services: ground.cluster.dnsAddress !== undefined,
  });
  const { port, ...attached } = await attach(ground, { appUrl: host.url, chart: undefined }, report);
  return { attachment: { ...granted, ...attached }, port };
}

const tokenSeconds = 86_400;

async function attachWithChart(ground: Ground, host: RunningHost, report: (detail: string) => void): Promise<Way> {
  const { options, progress, parts, cluster, gateway } = ground;
  const { forwarder } = cluster;
  if (gateway === undefined || forwarder === undefined)
    throw new Error('--relay chart needs a control plane of its own, and Podman: its pods run in containers');
  const { namespace, relayServiceAccount } = accessDefaults;
  const { binary: helm } = await ensureHelm({ progress });
  const certificate = await cluster.issueKubeletCertificate(nodeName, options.nodeAddress);
  await prepareNamespace(cluster, namespace, certificate);
  const front = await openAppFront(gateway, host.url);
  parts.addStop(() => front.close(), undefined);
  const caFile = writeSecretFile(join(options.dir, 'app-front-ca.crt'), front.caPem);
  const { caFile: armCaFile } = ground.settings.arm;
  const aciCaPem = armCaFile === undefined ? undefined : readFileSync(armCaFile, 'utf8');
  const values = writeSecretFile(
    join(options.dir, 'chart-values.json'),
    JSON.stringify(chartValues(front, forwarder, aciCaPem)),
  );
  const chart = { dir: join(repository, 'dist', 'chart'), values };
  const { port, ...attached } = await attach(ground, { appUrl: front.url, chart, helm, caFile }, report);
  const wanted = { namespace, serviceAccount: relayServiceAccount, durationSeconds: tokenSeconds };
  const { token: relayToken } = await cluster.administrator.requestToken(wanted);
  return { attachment: { ...attached, namespace, relayServiceAccount, relayToken }, port, helm, caFile };
}

async function attach(
  { options, cluster, kubeconfig }: Ground,
  how: Pick<AttachWanted, 'appUrl' | 'chart'> & Pick<AttachWanted['place'], 'helm' | 'caFile'>,
  report: (detail: string) => void,
): Promise<Attached> {
  const { forwarder } = cluster;
  const attached = await attachNode(
    {
      ...how,
      place: { dir: options.dir, kubeconfig, kubectl: cluster.kubectl, helm: how.helm, caFile: how.caFile },
      node: { name: nodeName, port: await allocatePort() },
      address: options.nodeAddress,
      // Without a bridge there is no address that containers reach: the Service's, knowingly.
      reachesServices: cluster.dnsAddress !== undefined,
      apiServerForPods: forwarder === undefined ? 'service' : `${forwarder.address}:${forwarder.port}`,
    },
    report,
  );
  report(`${nodeName} is registered`);
  return attached;
}
