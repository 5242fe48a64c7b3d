import type { ClusterRegistration } from '../../../shared/wire/settings.ts';
import type { AppSettings } from '../app-settings.ts';
import { readClusterIdentity, readNode } from '../inspect/read-cluster.ts';
import { refuseSkew } from '../inspect/version-skew.ts';
import { clusterOptions, clusterSource, findCluster } from '../cluster/find-cluster.ts';
import type { FoundCluster } from '../cluster/find-cluster.ts';
import type { Command } from '../command.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { readRegistrations } from '../registrations.ts';
import { wrongInput } from '../stop.ts';
import { appRemark, readAppFacts } from './app-facts.ts';
import type { AppFacts } from './app-facts.ts';
import { checkHelm, findChart } from '../cluster/chart-release.ts';
import { attachNeeds, missingRights } from './may-i.ts';
import { refuseLeavingNamespace, requireNamespace } from '../cluster/namespace.ts';
import { describeApiServerForPods } from '../cluster/api-server-for-pods.ts';
import type { ApiServerForPods } from '../cluster/api-server-for-pods.ts';
import { judgeChart, performAttach } from './perform.ts';
import type { AttachChart, AttachDone } from './perform.ts';
import { apiServerForPods, chartValues, checkAttach, plannedNodes } from './plan.ts';
import type { AttachFacts } from './plan.ts';
import { attachOptions, parseAttachWants } from './wants.ts';
import type { AttachWants } from './wants.ts';

const help = `
Shows the app's nodes in a cluster: checks everything, installs the chart (the relay and its rights), registers the
cluster and its nodes with the app, and waits until they are Ready. A second run does only what is missing; with more
nodes it adds them, and a node that was draining or removed becomes active again.

The cluster is that of --aks NAME --aks-resource-group NAME (asked from az), or of --kubeconfig and --context.
You need the rights of an administrator in the cluster, and those of a writer on the app's registrations.

  attach --app kubelet --resource-group aci-pods --aks prod --aks-resource-group prod --nodes aci-1
  attach --app kubelet --resource-group aci-pods --kubeconfig admin.conf --nodes aci-1,aci-2 --zones 1,2
`;

export const attachCommand: Command = {
  help,
  options: { ...attachOptions, ...clusterOptions },
  run: async (context) => {
    const wants = parseAttachWants(context.options);
    clusterSource(context.options);
    const chart = wants.chart && { dir: findChart(wants.chart.dir), wants: wants.chart };
    const { progress } = context.out;
    const app = await progress.step('settings of the app', () => context.app());
    const handle = await progress.step('cluster', () => findCluster(context));
    try {
      return await attach(context, { wants, chart, app, found: handle.cluster });
    } finally {
      handle.dispose();
    }
  },
};

interface Gathered {
  readonly wants: AttachWants;
  readonly chart: AttachChart | undefined;
  readonly app: AppSettings;
  readonly found: FoundCluster;
}

async function attach(context: CliContext, gathered: Gathered): Promise<ExitCode> {
  const { wants, chart, app } = gathered;
  const { progress } = context.out;
  const appFacts = await readAppFacts(app, wants, context.az);
  const facts = await progress.step('checks', (report) => gatherFacts(context, gathered, { appFacts, report }));
  const complaints = checkAttach(wants, facts);
  const [first, ...others] = complaints;
  for (const { problem, fix } of others) context.out.warn(`${problem}\n  → ${fix}`);
  if (first !== undefined) throw wrongInput(first.problem, first.fix);
  const input = { wants, facts, appUrl: appFacts.url };
  const isChartCurrent =
    chart === undefined ||
    (await progress.step('chart, tried on the API server', () => judgeChart(context, { ...input, chart })));
  const remark = await appRemark(appFacts.url, facts.cluster.uid);
  if (remark !== undefined) context.out.warn(remark);
  if (wants.dryRun) return reportPlan(context, { ...input, isChartCurrent });
  const done = await performAttach(context, { ...input, chart, app, isChartCurrent });
  return reportDone(context, { done, podsWay: apiServerForPods(wants, facts, knownOf(facts)) });
}

async function gatherFacts(
  context: CliContext,
  { wants, chart, app, found }: Gathered,
  { appFacts, report }: { readonly appFacts: AppFacts; readonly report: (detail: string) => void },
): Promise<AttachFacts> {
  const identity = await readClusterIdentity(context);
  report(`Kubernetes ${identity.version}, UID ${identity.uid}`);
  await refuseSkew(context, { installation: app.settings.INSTALLATION, namespace: wants.namespace });
  if (chart !== undefined) await checkHelm(context);
  const [notAllowed, { clusters }] = await Promise.all([
    missingRights(context, attachNeeds(wants)),
    readRegistrations(await context.registrations(), context.signal),
  ]);
  // Whoever lacks rights is shown all of them, and not stopped by the first question that needs one.
  if (notAllowed.length === 0) await refuseLeavingNamespace(context, wants.namespace);
  if (chart === undefined && !wants.dryRun) await requireNamespace(context, wants.namespace);
  const nodes = notAllowed.length > 0 ? [] : await Promise.all(wants.nodes.map(({ name }) => readNode(context, name)));
  return {
    installation: app.settings.INSTALLATION,
    cluster: {
      ...identity,
      name: wants.clusterName ?? found.name,
      server: wants.server ?? found.server,
      caPem: found.caPem,
      entra: found.aks?.entra,
      aksHost: found.aks?.host,
    },
    existingNodes: nodes.filter((node) => node !== undefined),
    fixed: app.settings.CLUSTERS,
    registered: clusters,
    notAllowed,
    principalId: appFacts.principalId,
  };
}

const describeChart = ({ wants, isChartCurrent }: Plan): string => {
  if (wants.chart === undefined) return 'left as it is';
  return isChartCurrent ? 'as wanted' : 'to be installed or upgraded';
};

type Plan = {
  readonly wants: AttachWants;
  readonly facts: AttachFacts;
  readonly appUrl: string;
  readonly isChartCurrent: boolean;
};

const knownOf = ({ registered, cluster }: AttachFacts): ClusterRegistration | undefined =>
  registered.find(({ uid }) => uid === cluster.uid);

function reportPlan(context: CliContext, plan: Plan): ExitCode {
  const { facts, wants } = plan;
  const known = knownOf(facts);
  const nodes = plannedNodes(wants, known?.nodes ?? []);
  const values = chartValues(plan);
  const podsWay = apiServerForPods(wants, facts, known);
  const what = {
    dryRun: true,
    cluster: { name: known?.name ?? facts.cluster.name, uid: facts.cluster.uid, isNew: known === undefined },
    namespace: wants.namespace,
    chart: describeChart(plan),
    chartValues: values,
    nodes,
    apiServerForPods: podsWay ?? null,
  };
  if (context.out.value(what)) return exitCodes.done;
  context.out.line(
    `would attach ${what.cluster.name} (${what.cluster.uid}), which is ${known === undefined ? 'new' : 'registered already'}`,
  );
  context.out.line(`chart in the namespace ${wants.namespace}: ${what.chart}, with ${JSON.stringify(values)}`);
  reportPodsWay(context, podsWay);
  context.out.table(
    ['NODE', 'PORT', 'NEW'],
    nodes.map(({ name, port }) => [
      name,
      String(port),
      known?.nodes.some((node) => node.name === name) === true ? 'no' : 'yes',
    ]),
  );
  return exitCodes.done;
}

/** Nothing that pods could reach is a warning, whatever the form of the output. */
function reportPodsWay({ out }: CliContext, way: ApiServerForPods | undefined): void {
  if (way === undefined) out.warn(describeApiServerForPods(way));
  else out.line(describeApiServerForPods(way));
}

interface Done {
  readonly done: AttachDone;
  readonly podsWay: ApiServerForPods | undefined;
}

function reportDone(context: CliContext, { done, podsWay }: Done): ExitCode {
  const { changes, ...attached } = done;
  const result = { ...attached, changes, apiServerForPods: podsWay ?? null };
  if (context.out.value(result)) return exitCodes.done;
  context.out.line(
    done.changes.length === 0
      ? `${done.cluster} is attached as wanted: nothing was changed`
      : `${done.cluster} is attached: ${done.changes.join(', ')}`,
  );
  reportPodsWay(context, podsWay);
  context.out.line(`try: kubectl get nodes; then a pod: kubectl apply -f docs/examples/exit-code.yaml`);
  return exitCodes.done;
}
