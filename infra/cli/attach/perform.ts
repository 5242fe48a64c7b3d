import { armLimits } from '../../../shared/wire/arm-settings.ts';
import { fail } from '../../../shared/core/fault.ts';
import type { Result } from '../../../shared/core/fault.ts';
import { faultClause } from '../inspect/fault-reason.ts';
import type { AppSettings } from '../app-settings.ts';
import type { CliContext } from '../context.ts';
import { podsOnNode } from '../inspect/read-cluster.ts';
import { changeRegistrations, readRegistrations } from '../registrations.ts';
import { writeSetting } from '../setting-writer.ts';
import { Stop } from '../stop.ts';
import { appAccountUid, isTokenGood, readToken, requestAppToken } from './app-token.ts';
import { findRelayAddress, relayAddress } from './relay-address.ts';
import { isChartCurrent, upgradeChart } from '../cluster/chart-release.ts';
import type { ChartRun, ChartWants } from '../cluster/chart-release.ts';
import { provideAgent } from './perform-agent.ts';
import type { AgentWork } from './perform-agent.ts';
import { performPull } from './perform-pull.ts';
import type { PullWork } from './perform-pull.ts';
import { areSecretsMissing, markFormer, provideCredential } from './perform-services.ts';
import { refuseMeanwhile } from './meanwhile.ts';
import { startOpen } from './first-start.ts';
import type { FirstStart } from './first-start.ts';
import { ensureNamespace } from '../cluster/namespace.ts';
import { chartValues } from './chart-values.ts';
import { audienceOf, plannedNodes, tokenSettingName, withCluster } from './plan.ts';
import type { AttachFacts } from './plan.ts';
import { wakeApp } from './wake-app.ts';
import { waitUntilReady } from './wait.ts';
import type { AttachWants } from './wants.ts';

/** The chart that is to be there. */
export interface AttachChart {
  readonly dir: string;
  readonly wants: ChartWants;
}

export interface AttachInput {
  readonly wants: AttachWants;
  readonly facts: AttachFacts;
  readonly appUrl: string;
  /** Undefined: it is left as it is. */
  readonly chart: AttachChart | undefined;
  readonly app: AppSettings;
  /** What is to be done for `--acr`; undefined without it. */
  readonly pull: PullWork | undefined;
  readonly agent: AgentWork | undefined;
  /** Whether the chart was found to be as wanted, object for object, before anything was changed. */
  readonly isChartCurrent: boolean;
}

/**
 * Has helm and the API server judge the values before anything is changed; answers whether the release is already what
 * they would make of it. A certificate that is yet to be signed is left out: its Secret is not there.
 */
export function judgeChart(
  context: CliContext,
  { wants, facts, appUrl, chart }: Pick<AttachInput, 'wants' | 'facts' | 'appUrl'> & { readonly chart: AttachChart },
): Promise<boolean> {
  const judged = wants.serving === 'csr' ? { ...wants, serving: 'self-signed' as const } : wants;
  const values = chartValues({ wants: judged, facts, appUrl });
  return isChartCurrent(context, { ...chart, namespace: wants.namespace, values });
}

export interface AttachDone {
  /** What was changed, in a few words each; empty: all was as wanted. */
  readonly changes: readonly string[];
  /** Its name for people. */
  readonly cluster: string;
  readonly clusterUid: string;
  /** Of the relay's token for the app. */
  readonly audience: string;
  /** Those that were named, with their ports of the relay. */
  readonly nodes: readonly (AttachWants['nodes'][number] & { readonly port: number })[];
  readonly address: string;
}

/**
 * Does what the checks have allowed, in an order in which a run that ends anywhere leaves nothing that does harm: rights
 * before the registration that makes the app use them. Each step looks first, so that a second run goes on from there.
 */
export async function performAttach(context: CliContext, input: AttachInput): Promise<AttachDone> {
  const { wants, facts } = input;
  const { progress } = context.out;
  const changes: string[] = input.pull === undefined ? [] : [...(await performPull(context, input.pull))];
  changes.push(...(await provideAgent(context, input.app, input.agent)));
  if (await ensureNamespace(context, wants.namespace, facts.installation))
    changes.push(`namespace ${wants.namespace} made`);
  const { chart } = input;
  if (
    chart !== undefined &&
    (await progress.step('chart', (report) => installChart(context, { ...input, chart }, report)))
  )
    changes.push('chart installed');
  changes.push(...(await provideCredential(context, input)));
  const address = await relayAddress(context, wants);
  if (wants.auth === 'token' && (await progress.step('token', (report) => provideToken(context, input, report))))
    changes.push('token renewed');
  if (await startWithoutPast(context, input)) changes.push('first rows written');
  const registered = await progress.step('registration', async (report) => {
    const registrations = await context.registrations();
    const changed = await changeRegistrations(
      registrations,
      (clusters) => {
        refuseMeanwhile(facts, clusters);
        return withCluster(clusters, { ...input, address });
      },
      context.signal,
    );
    await markFormer(context, input);
    report(changed ? 'written' : 'as wanted');
    return changed;
  });
  if (registered) changes.push('registration written');
  if (registered && isNew(facts)) await progress.step('app', (report) => reportApp(context, input, report));
  if (wants.wait !== 'none') {
    const nodes = wants.nodes.map(({ name }) => name);
    await progress.step('nodes', (report) => waitUntilReady(context, { ...wants, nodes }, report));
  }
  return { changes, ...describeAttached(input), address };
}

function describeAttached({ wants, facts, appUrl }: AttachInput): Omit<AttachDone, 'changes' | 'address'> {
  const { name, uid } = facts.cluster;
  const before = facts.registered.find((cluster) => cluster.uid === uid);
  const ports = new Map(plannedNodes(wants, before?.nodes ?? []).map((node) => [node.name, node.port]));
  return {
    cluster: before?.name ?? name,
    clusterUid: uid,
    audience: audienceOf(before, appUrl),
    nodes: wants.nodes.map((node) => ({ ...node, port: ports.get(node.name) ?? wants.port })),
  };
}

const isNew = ({ registered, cluster }: AttachFacts): boolean => !registered.some(({ uid }) => uid === cluster.uid);

/** The app hears of a cluster by itself; at once by a call in the name of that cluster, which it looks up then. */
async function reportApp(
  context: CliContext,
  { wants, facts, appUrl }: AttachInput,
  report: (detail: string) => void,
): Promise<void> {
  const { namespace } = wants;
  const audience = audienceOf(undefined, appUrl);
  const isAwake = await wakeApp(context, { appUrl, clusterUid: facts.cluster.uid, namespace, audience });
  report(isAwake ? 'knows the cluster' : 'could not be reported: it hears of the cluster within a minute');
}

/** A list of ARM that takes longer is no reason to keep an operator waiting. */
const pollMs = 15_000;

/**
 * New nodes without a past start at once, not after a minute; answers whether any does. It only spares time, and an
 * operator may lack a right that it needs: whatever is in the way, `attach` goes on.
 */
async function startWithoutPast(context: CliContext, { wants, facts, app }: AttachInput): Promise<boolean> {
  const known = facts.registered.find(({ uid }) => uid === facts.cluster.uid)?.nodes ?? [];
  const nodes = wants.nodes.map(({ name }) => name).filter((name) => !known.some((node) => node.name === name));
  if (nodes.length === 0) return false;
  return context.out.progress.step('first rows', async (report) => {
    const started = await tryStartOpen(context, { app, clusterUid: facts.cluster.uid, nodes });
    if (started.ok && started.value.nodes.length > 0) {
      report(`${started.value.nodes.join(', ')} can start pods at once`);
      return true;
    }
    report(`the first pod waits a minute${started.ok ? '' : `: ${faultClause(started.fault)}`}`);
    return false;
  });
}

async function tryStartOpen(
  context: CliContext,
  { app, clusterUid, nodes }: { readonly app: AppSettings; readonly clusterUid: string; readonly nodes: string[] },
): Promise<Result<FirstStart>> {
  try {
    const ports = {
      table: await context.table(),
      groups: await context.groups(),
      registrations: await context.registrations(),
      podsOn: (node: string) => podsOnNode(context, node),
    };
    const { INSTALLATION: installation } = app.settings;
    const input = { installation, clusterUid, nodes, limits: armLimits(app.settings) };
    return await startOpen(ports, input, AbortSignal.any([context.signal, AbortSignal.timeout(pollMs)]));
  } catch (error) {
    // Of kubectl, or of a setting that only ARM needs.
    if (error instanceof Stop) return fail({ kind: 'transient', message: error.message });
    throw error;
  }
}

/** What the chart looks up in the cluster (the Service's address, say) is there only after the first run of it. */
const chartRuns = 2;

type WithChart = AttachInput & { readonly chart: AttachChart };

async function installChart(context: CliContext, input: WithChart, report: (detail: string) => void): Promise<boolean> {
  const { wants, chart } = input;
  refuseMeanwhile(input.facts, (await readRegistrations(await context.registrations(), context.signal)).clusters);
  const run = (): ChartRun => ({ ...chart, namespace: wants.namespace, values: chartValues(input) });
  const isMissing = await areSecretsMissing(context, input);
  if (isMissing && input.isChartCurrent) await upgradeChart(context, run());
  if (wants.serving !== 'csr') {
    if (!input.isChartCurrent) return converge(context, run(), report);
    report(isMissing ? 'installed' : 'as wanted');
    return isMissing;
  }
  const made = await prepareServing(context, input, report);
  return (await converge(context, run(), report)) || made || isMissing;
}

/** Upgrades until there is no difference any more; answers whether there was one. */
async function converge(context: CliContext, run: ChartRun, report: (detail: string) => void): Promise<boolean> {
  for (let runs = 0; ; runs++) {
    if (await isChartCurrent(context, run)) {
      report(runs === 0 ? 'as wanted' : 'installed');
      return runs > 0;
    }
    if (runs === chartRuns) return true;
    report(runs === 0 ? 'installing' : 'installing, with what the cluster added');
    await upgradeChart(context, run);
  }
}

/**
 * The Secret of `--serving csr`. The certificate needs the Service's address, so where that is not known yet the chart
 * comes first, with a certificate of its own. Answers whether anything was made.
 */
async function prepareServing(
  context: CliContext,
  input: WithChart,
  report: (detail: string) => void,
): Promise<boolean> {
  const { wants, chart } = input;
  const { isServingCertificateGood, obtainServingCertificate } = await import('./serving-certificate.ts');
  const [node = { name: '' }] = wants.nodes;
  const serving = (address: string) => ({
    namespace: wants.namespace,
    node: node.name,
    address,
    timeoutMs: wants.timeoutMs,
  });
  let address = await findRelayAddress(context, wants);
  if (address === undefined) {
    const values = chartValues({ ...input, wants: { ...wants, serving: 'self-signed' } });
    await converge(context, { ...chart, namespace: wants.namespace, values }, report);
    address = await relayAddress(context, wants);
  }
  if (await isServingCertificateGood(context, serving(address))) return false;
  await obtainServingCertificate(context, serving(address), report);
  return true;
}

/** Answers whether the app got a new token. */
async function provideToken(
  context: CliContext,
  { wants, facts, app }: AttachInput,
  report: (detail: string) => void,
): Promise<boolean> {
  const name = tokenSettingName(wants, facts.cluster.uid);
  const current = readToken(app.values[name] ?? '');
  const warnOfExpiry = (expiresAtMs: number): void =>
    context.out.warn(
      `the app's token for the cluster expires on ${new Date(expiresAtMs).toISOString().slice(0, 16)}Z: run attach again before; --auth entra needs none`,
    );
  if (current !== undefined && isTokenGood(current, await appAccountUid(context, wants.namespace), Date.now())) {
    report(`good until ${new Date(current.expiresAtMs).toISOString()}`);
    return false;
  }
  const { token, expiresAtMs } = await requestAppToken(context, {
    namespace: wants.namespace,
    durationMs: wants.tokenDurationMs,
  });
  await writeSetting(app.source, { name, value: token }, context.az);
  report(`in the setting ${name}`);
  warnOfExpiry(expiresAtMs);
  return true;
}
