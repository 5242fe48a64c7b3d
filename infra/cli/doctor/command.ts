import packageJson from '../../../package.json' with { type: 'json' };
import { readAuthority } from '../../../shared/adapters/arm/authority-file.ts';
import type { ClusterRegistration, Settings } from '../../../shared/wire/settings.ts';
import { appSource } from '../app-settings.ts';
import type { AppSettings } from '../app-settings.ts';
import type { Command } from '../command.ts';
import { clusterSource, findCluster } from '../cluster/find-cluster.ts';
import type { CliContext } from '../context.ts';
import type { ExitCode } from '../exit-code.ts';
import type { Colour } from '../output.ts';
import { Stop, wrongInput } from '../stop.ts';
import { faultReason, isNoLogin, signIn, unreadableBy } from '../inspect/fault-reason.ts';
import { contextFor, createClusterReader } from '../inspect/cluster-reader.ts';
import { read, unreadable } from '../inspect/observed.ts';
import type { Part } from '../inspect/observed.ts';
import { kubeContexts, registeredClusters } from '../inspect/registered.ts';
import { checkApp, checkLogin, checkRegion } from './azure-checks.ts';
import type { ReportCheck } from './azure-checks.ts';
import { checkGrants } from './role-checks.ts';
import { doctorExitCode, failed, good, skipped, warned } from '../inspect/check.ts';
import type { Check } from '../inspect/check.ts';
import { judgeProbes } from '../inspect/probe-judgements.ts';
import { judgeClocks } from '../inspect/clock-judgement.ts';
import type { ClockFacts } from '../inspect/clock-judgement.ts';
import { checkCluster } from './cluster-checks.ts';
import { parsePodsWants, podsOptions } from './pods-options.ts';
import type { PodsWants } from './pods-options.ts';
import { checkPodsPart } from './pods-part.ts';
import { subjectOf } from '../inspect/app-rights.ts';
import { judgeReach } from '../inspect/cluster-judgements.ts';
import { judgeOwnHost, judgePodsWay, judgeServiceWay } from '../inspect/pods-way-judgement.ts';
import { reach } from '../inspect/reach.ts';

const help = `
Checks one thing after the other, with your own rights, and says for each what it found and how to fix it:
the Azure login, the function app, its settings, the longest body that its host lets through, its identity, the roles
of that identity, the identity that pulls images, the resource provider, the resource group, the quota, the subnet, the
tables, the registrations, what probe has found, what their grants let pods name and whether the app may give it; for each registered cluster the way to its
API server, its UID and version, the app's rights in it, how pods reach its names and Services, the relay (Deployment, leader, Service), the chart's version,
the admission API, each Node, its Lease and release, and the kubelet port through the API server; at last the clocks.
It changes nothing. What you may not read is skipped, with the reason.

--pods starts a pod for a minute on one node of each cluster, and deletes it whatever comes of it, Ctrl-C too: it costs
what a pod of two small containers costs. With an init container and an image of each libc it tries to reach the name
servers, names of the cluster and outside, ClusterIPs, a pod of the cluster, the API server and the Internet, and doctor
says which hop fails and why. Before it, with az: what security group, routes, NAT gateway, authorized IP ranges and
private DNS zone say of the same ways. A subnet's part is skipped where pods are in none.

Exit code 0: nothing to fix; 3: something is; 1: nothing could be checked.

--output json|yaml has {schemaVersion, installation, healthy, checks[] {name, verdict: ok|warning|failed|skipped, found, fix}}.
`;

/** How servers are asked without a credential; tests bring their own. */
type Reach = typeof reach;

const podPollMs = 2000;

export const doctorCommand: Command = doctorBy(reach);

export function doctorBy(reach: Reach, pollMs: number = podPollMs): Command {
  return {
    help,
    options: {
      'principal-id': {
        type: 'string',
        value: 'ID',
        description: "object id of the app's identity, where only --settings is given",
      },
      relay: {
        type: 'string',
        value: 'WHERE',
        description: 'cluster (default), or outside: nothing of it is looked for in the cluster, as with npm start',
      },
      ...podsOptions,
    },
    run: async (context) => {
      const relay = parseRelay(context.options.text('relay'));
      const pods = parsePodsWants(context.options);
      const checks: Check[] = [];
      const report: ReportCheck = (check) => {
        checks.push(check);
        if (context.out.format === 'table') printCheck(context, check);
      };
      const aks = clusterSource(context.options).kind === 'aks' ? await findCluster(context) : undefined;
      try {
        const app = await checkAll(context, { reach, relay, pods, pollMs }, report);
        return reportAll(context, app, checks);
      } finally {
        aks?.dispose();
      }
    },
  };
}

function reportAll(context: CliContext, app: AppSettings | undefined, checks: readonly Check[]): ExitCode {
  const code = doctorExitCode(checks);
  const installation = app?.settings.INSTALLATION ?? null;
  if (!context.out.value({ installation, healthy: code === 0, checks })) printEnd(context, checks);
  return code;
}

type RelayPlace = 'cluster' | 'outside';

function parseRelay(text: string | undefined): RelayPlace {
  if (text === undefined || text === 'cluster' || text === 'outside') return text ?? 'cluster';
  throw wrongInput(`--relay wants cluster or outside, not "${text}"`, 'leave it out where attach installed the chart');
}

interface Wanted {
  readonly reach: Reach;
  readonly relay: RelayPlace;
  readonly pods: PodsWants | undefined;
  readonly pollMs: number;
}

async function checkAll(
  context: CliContext,
  { reach, relay, pods, pollMs }: Wanted,
  report: ReportCheck,
): Promise<AppSettings | undefined> {
  const source = appSource(context.options);
  const hasAz = await checkLogin(context, source, report);
  const app = await readApp(context, report);
  if (app === undefined) return undefined;
  const { settings } = app;
  const seen = await checkApp(context, { ...app, hasAz }, report);
  await checkRegion(context, { settings, hasAz }, report);
  const tablesMs = await checkTables(context, report);
  const clusters = await checkRegistrations(context, report);
  await checkProbes(context, settings, report);
  await checkGrants({ settings, clusters, seen }, report);
  const clocks = [await armClock(settings, reach, context.signal), { whose: 'tables', aheadSeconds: ahead(tablesMs) }];
  const { principalId } = seen;
  for (const cluster of clusters)
    clocks.push(await checkOne(context, { cluster, app, principalId, reach, relay }, report));
  report(judgeClocks(clocks));
  if (pods !== undefined) await checkPodsPart(context, { app, hasAz, clusters, wants: pods, pollMs }, report);
  return app;
}

/** The settings as the app itself would read them. */
async function readApp(context: CliContext, report: ReportCheck): Promise<AppSettings | undefined> {
  try {
    const app = await context.app();
    report(
      good('settings', `They are valid: installation ${app.settings.INSTALLATION} in ${app.settings.AZURE_LOCATION}.`),
    );
    return app;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    report(failed('settings', `${error.message}.`, error.fix ?? 'docs/settings.md has the shape of each.'));
    report(skipped('everything else', 'It needs the settings.'));
    return undefined;
  }
}

async function checkTables(context: CliContext, report: ReportCheck): Promise<number | undefined> {
  const store = await context.store();
  const bucket = await store.getBucket('reads');
  const now = await store.now();
  if (bucket.ok && now.ok) {
    report(good('tables', 'The Table service answers.'));
    return now.value;
  }
  const fault = bucket.ok ? now : bucket;
  const reason = fault.ok ? 'unknown' : faultReason(fault.fault);
  const fix =
    !fault.ok && isNoLogin(fault.fault)
      ? signIn
      : 'You need the role Storage Table Data Reader on the storage account; where it is private, run doctor from its network.';
  report(failed('tables', `The Table service could not be asked: ${reason}`, fix));
  return undefined;
}

async function checkRegistrations(context: CliContext, report: ReportCheck): Promise<readonly ClusterRegistration[]> {
  const { registrations, clusters } = await registeredClusters(context);
  const name = 'registrations';
  const names = clusters.map((cluster) => cluster.name).join(', ');
  if (registrations.kind === 'unreadable')
    report(
      failed(
        name,
        registrations.reason,
        'See REGISTRATIONS_URL, and the role Storage Blob Data Contributor of yours and the app.',
      ),
    );
  else if (clusters.length === 0)
    report(warned(name, 'No cluster is registered.', 'serverless-kubelet attach registers one.'));
  else report(good(name, `${String(clusters.length)} registered: ${names}.`));
  return clusters;
}

async function checkProbes(context: CliContext, settings: Settings, report: ReportCheck): Promise<void> {
  const records = await context.probeRecords();
  const read = await records?.get(context.signal);
  if (read === undefined) report(skipped('probe', 'The app has no REGISTRATIONS_URL, so nothing is kept of probes.'));
  else if (!read.ok)
    report(
      warned(
        'probe',
        `What probes have found could not be read, and the app goes on without it: ${faultReason(read.fault)}`,
        'See the role Storage Blob Data Contributor of yours and the app; probe again where the blob holds something else.',
      ),
    );
  else {
    const own = { region: settings.AZURE_LOCATION, subnet: settings.ACI_SUBNET_ID ?? null, sku: 'Standard' };
    for (const check of judgeProbes(read.value.probes, own)) report(check);
  }
}

interface OneCluster {
  readonly cluster: ClusterRegistration;
  readonly app: AppSettings;
  readonly principalId: string | undefined;
  readonly reach: Reach;
  readonly relay: RelayPlace;
}

/** One cluster, and what time it is there. */
async function checkOne(
  context: CliContext,
  { cluster, app, principalId, reach, relay }: OneCluster,
  report: ReportCheck,
): Promise<ClockFacts> {
  const { certificateAuthority: caPem } = cluster;
  const reached = await reach(`${cluster.server}/version`, { caPem, signal: context.signal });
  report(judgeReach(`${cluster.name}: API server`, new URL(cluster.server).host, reached.facts));
  report(await checkPodsWay(cluster, reach, context.signal));
  const asked = context.options.text('context');
  const { context: name } = contextFor(cluster.server, await kubeContexts(context), asked);
  const beforeMs = Date.now();
  const serverMs = await checkCluster(
    {
      cluster,
      installation: app.settings.INSTALLATION,
      subject: subjectOf(cluster, { principalId, values: app.values }),
      reader: createClusterReader(context.api, name),
      create: (path, body) => context.api.send({ method: 'POST', path, body, context: name }),
      version: packageJson.version,
      groups: async () => {
        const listed = await (await context.groups()).list(context.signal);
        return listed.ok ? read(listed.value) : unreadableBy(listed.fault);
      },
      relay: relay === 'outside' ? { kind: 'outside', store: await context.store() } : { kind: 'cluster' },
    },
    report,
  );
  const known = reached.aheadSeconds ?? (serverMs === undefined ? undefined : (serverMs - beforeMs) / 1000);
  return { whose: cluster.name, aheadSeconds: known === undefined ? unreadable('It reported no time.') : read(known) };
}

/** Where pods reach the API server, as far as that can be seen from here. */
async function checkPodsWay(cluster: ClusterRegistration, reach: Reach, signal: AbortSignal): Promise<Check> {
  const name = `${cluster.name}: API server for pods`;
  const { apiServerForPods: way, certificateAuthority: caPem, services } = cluster;
  if (typeof way !== 'object') return judgeServiceWay(name, way, services !== undefined);
  const url = `https://${way.host.includes(':') ? `[${way.host}]` : way.host}:${way.port}/version`;
  return judgeOwnHost(name, way) ?? judgePodsWay(name, way, (await reach(url, { caPem, signal })).facts);
}

async function armClock(settings: Settings, reach: Reach, signal: AbortSignal): Promise<ClockFacts> {
  const authority = readAuthority(settings);
  const caPem = authority.ok ? authority.pem : undefined;
  // Without a token ARM refuses, and reports the time all the same.
  const { aheadSeconds, facts } = await reach(`${settings.ARM_ENDPOINT}/subscriptions?api-version=2022-12-01`, {
    caPem,
    signal,
  });
  return { whose: 'ARM', aheadSeconds: aheadSeconds === undefined ? unreadable(facts.at) : read(aheadSeconds) };
}

const ahead = (serverMs: number | undefined): Part<number> =>
  serverMs === undefined ? unreadable('It reported no time.') : read((serverMs - Date.now()) / 1000);

const marks: Readonly<Record<Check['verdict'], readonly [mark: string, colour: Colour]>> = {
  ok: ['ok', 'green'],
  warning: ['warning', 'yellow'],
  failed: ['failed', 'red'],
  skipped: ['skipped', 'dim'],
};

function printCheck({ out }: CliContext, { name, verdict, found, fix }: Check): void {
  const [mark, colour] = marks[verdict];
  out.line(`${out.paint(colour, mark.padEnd(8))} ${name}: ${found}`);
  if (fix !== undefined) out.line(`         → ${fix}`);
}

function printEnd({ out }: CliContext, checks: readonly Check[]): void {
  const count = (verdict: Check['verdict']): number => checks.filter((check) => check.verdict === verdict).length;
  out.line('');
  out.line(
    `${String(count('ok'))} ok, ${String(count('warning'))} warnings, ${String(count('failed'))} failed, ${String(count('skipped'))} skipped.`,
  );
}
