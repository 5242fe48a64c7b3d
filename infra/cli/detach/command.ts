import type { ClusterRegistration } from '../../../shared/wire/settings.ts';
import type { AppSettings } from '../app-settings.ts';
import { createClusterReader } from '../inspect/cluster-reader.ts';
import { valueOf } from '../inspect/observed.ts';
import { readClusterIdentity } from '../inspect/read-cluster.ts';
import { readServicesSecrets } from '../inspect/services-secrets.ts';
import { clusterOptions, clusterSource, findCluster } from '../cluster/find-cluster.ts';
import { tokenSettingOf } from '../cluster/names.ts';
import type { Command } from '../command.ts';
import type { CliContext } from '../context.ts';
import type { ExitCode } from '../exit-code.ts';
import { changeRegistrations, readRegistrations } from '../registrations.ts';
import { wrongInput } from '../stop.ts';
import { removeChart, shrinkChart } from './chart-removal.ts';
import { drainNodes, waitUntilRemoved } from './drain.ts';
import { forceDetach } from './force.ts';
import { withState, withoutNodes } from './plan.ts';
import { findRemains } from './remains.ts';
import { refuseSkew } from '../inspect/version-skew.ts';
import { reportRemains } from './report.ts';
import { clusterRows } from './rows.ts';
import { removeTokenSetting } from './token-setting.ts';
import { detachOptions, parseDetachWants } from './wants.ts';
import type { DetachWants } from './wants.ts';

const help = `
Takes the app's nodes out of a cluster: evicts their pods as kubectl drain does (pods without a controller are
deleted), waits until their container groups are gone and the app has removed Node and Lease, uninstalls the chart,
takes the cluster out of the registrations, and says of each that nothing is left. It can be repeated half-way.
What ran and what it cost is kept for the command cost, unless --purge-usage is given.

A cluster that was destroyed without it leaves container groups behind; they go by --force --cluster UID.

  detach --app kubelet --resource-group aci-pods --aks prod --aks-resource-group prod
  detach --app kubelet --resource-group aci-pods --aks prod --aks-resource-group prod --nodes aci-2
  detach --app kubelet --resource-group aci-pods --force --cluster 5f0c2d6e-6a53-4c62-9d0a-3f0f6c1b2a77
`;

export const detachCommand: Command = {
  help,
  options: { ...detachOptions, ...clusterOptions },
  run: async (context) => {
    const wants = parseDetachWants(context.options);
    clusterSource(context.options);
    const { progress } = context.out;
    const app = await progress.step('settings of the app', () => context.app());
    if (wants.force !== undefined) return forceDetach(context, { ...wants, force: wants.force }, app);
    const handle = await progress.step('cluster', () => findCluster(context));
    try {
      return await detach(context, wants, app);
    } finally {
      handle.dispose();
    }
  },
};

/** What is to be detached. */
interface Target {
  readonly installation: string;
  readonly uid: string;
  readonly nodes: readonly string[];
  /** Whether no node of the cluster is to be left. */
  readonly whole: boolean;
  readonly namespace: string;
  readonly registration: ClusterRegistration | undefined;
}

async function detach(context: CliContext, wants: DetachWants, app: AppSettings): Promise<ExitCode> {
  const { progress } = context.out;
  const target = await progress.step('checks', (report) => findTarget(context, { wants, app, report }));
  const { uid, nodes, installation } = target;
  const giveUpAt = performance.now() + wants.timeoutMs;
  const drain = { installation, uid, nodes, giveUpAt };
  const registrations = await context.registrations();
  const moveTo = (state: 'draining' | 'removed'): Promise<boolean> =>
    changeRegistrations(registrations, (clusters) => withState(clusters, { uid, nodes, state }), context.signal);
  const changes: string[] = [];
  if (target.registration !== undefined) {
    await moveTo('draining');
    await progress.step('pods', (report) => drainNodes(context, drain, report));
    if (await moveTo('removed')) changes.push(`${nodes.join(', ')} removed`);
    await progress.step('nodes', (report) => waitUntilRemoved(context, drain, report));
  }
  changes.push(...(await progress.step('chart', () => leaveChart(context, wants, target))));
  if (await progress.step('registration', (report) => unregister(context, { target, app, report })))
    changes.push('registration removed');
  const rows = clusterRows(app.settings, target.whole ? { uid } : { uid, nodes });
  const hasRows = (await rows.count()).rows > 0;
  if (hasRows) await progress.step('rows', () => rows.remove({ usage: wants.purgeUsage }));
  const remains = await progress.step('what is left', () =>
    findRemains(context, { ...target, keepChart: wants.keepChart, rows }),
  );
  return reportRemains(context, { changes, remains, usage: (await rows.count()).usage });
}

async function findTarget(
  context: CliContext,
  {
    wants,
    app,
    report,
  }: { readonly wants: DetachWants; readonly app: AppSettings; readonly report: (detail: string) => void },
): Promise<Target> {
  const { uid } = await readClusterIdentity(context);
  report(`UID ${uid}`);
  if (wants.uid !== undefined && wants.uid !== uid)
    throw wrongInput(
      `this cluster has the UID ${uid}, not ${wants.uid}`,
      'give the kubeconfig of that cluster; if it is gone: add --force',
    );
  if (app.settings.CLUSTERS.some((cluster) => cluster.uid === uid))
    throw wrongInput(
      "the cluster is in the app's setting CLUSTERS, which this command does not change",
      'set the state of its nodes to "removed" there',
    );
  const { INSTALLATION: installation } = app.settings;
  await refuseSkew(context, { installation, namespace: wants.namespace ?? 'serverless-kubelet' });
  const { clusters } = await readRegistrations(await context.registrations(), context.signal);
  const registration = clusters.find((cluster) => cluster.uid === uid);
  const known = registration?.nodes.map(({ name }) => name) ?? [];
  const unknown = wants.nodes?.filter((name) => !known.includes(name)) ?? [];
  if (registration !== undefined && unknown.length > 0)
    throw wrongInput(`${unknown.join(', ')}: not among the cluster's nodes ${known.join(', ')}`, 'fix --nodes');
  const nodes = wants.nodes ?? known;
  return {
    installation,
    uid,
    nodes,
    whole: known.every((name) => nodes.includes(name)),
    namespace: wants.namespace ?? registration?.relay.serviceAccount.split(':')[0] ?? 'serverless-kubelet',
    registration,
  };
}

async function leaveChart(context: CliContext, wants: DetachWants, target: Target): Promise<readonly string[]> {
  if (wants.keepChart) {
    if (target.whole) await warnOfToken(context, target.namespace);
    return [];
  }
  if (target.whole) return removeChart(context, target);
  const left = target.registration?.nodes.filter(({ name }) => !target.nodes.includes(name)) ?? [];
  await shrinkChart(context, { namespace: target.namespace, nodes: left, chart: wants.chart });
  return ['chart without them'];
}

/** What goes with the chart stays with it: nobody needs the token any more, and it is good as long as its Secret is there. */
async function warnOfToken(context: CliContext, namespace: string): Promise<void> {
  const secrets = valueOf(await readServicesSecrets(createClusterReader(context.api, undefined), namespace)) ?? [];
  if (secrets.length === 0) return;
  const names = secrets.map(({ name }) => name).join(', ');
  context.out.warn(
    `the chart stays, and with it the account services of ${namespace}, whose token nobody needs any more\n  → set the chart's value services.enabled=false: it is good as long as the Secret ${names} is there`,
  );
}

/** The registration, and the token that attach has put into the app's settings. */
async function unregister(
  context: CliContext,
  {
    target,
    app,
    report,
  }: { readonly target: Target; readonly app: AppSettings; readonly report: (detail: string) => void },
): Promise<boolean> {
  const { uid, nodes, registration } = target;
  // Without a registration, an attach may have ended before it wrote one.
  const auth = registration?.auth ?? { kind: 'token', setting: tokenSettingOf(uid) };
  const removed = target.whole ? await removeTokenSetting(context, app, auth) : undefined;
  if (removed !== undefined) report(`with the setting ${removed}`);
  return changeRegistrations(
    await context.registrations(),
    (clusters) => withoutNodes(clusters, uid, nodes),
    context.signal,
  );
}
