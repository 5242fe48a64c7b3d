import type { PodGrant } from '../../../shared/core/pod/grant.ts';
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
import { describeGrant, describeUnknownWorkspaces } from './grants-file.ts';
import { attachNeeds, missingRights } from './may-i.ts';
import { refuseLeavingNamespace, requireNamespace } from '../cluster/namespace.ts';
import { planReach } from '../cluster/reach-of-pods.ts';
import type { ReachPlan } from '../cluster/reach-of-pods.ts';
import { describeApiServerForPods } from '../cluster/api-server-for-pods.ts';
import type { ApiServerForPods } from '../cluster/api-server-for-pods.ts';
import { judgeChart, performAttach } from './perform.ts';
import type { AttachChart, AttachDone } from './perform.ts';
import { describeAgentWork, planAgentWork } from './perform-agent.ts';
import type { AgentWork } from './perform-agent.ts';
import type { PullWork } from './perform-pull.ts';
import { chartValues } from './chart-values.ts';
import { apiServerForPods, checkAttach, plannedNodes, reachPlan, wantedGrants } from './plan.ts';
import { gatherReach, refuseUnread } from './reach-facts.ts';
import { describeSecrets, reachMembers, reportReach } from './report-reach.ts';
import type { AttachFacts } from './plan.ts';
import { gatherPull } from './pull-facts.ts';
import { describePullStep, planPull } from './pull-plan.ts';
import { attachOptions, parseAttachWants } from './wants.ts';
import type { AttachWants } from './wants.ts';

const help = `
Shows the app's nodes in a cluster: checks everything, installs the chart (the relay and its rights), registers the
cluster and its nodes with the app, and waits until they are Ready. A second run does only what is missing; with more
nodes it adds them, and a node that was draining or removed becomes active again.

The cluster is that of --aks NAME --aks-resource-group NAME (asked from az), or of --kubeconfig and --context.
You need the rights of an administrator in the cluster, and those of a writer on the app's registrations.

With --acr container groups pull from a registry of Azure: an identity serverless-kubelet-INSTALLATION-pull is made or
found, gets AcrPull there, is attached to the app, and is written into the app's settings. It needs the right to give
roles at the registry and at that identity. The agent's image is put there too, for which you need AcrPush; where that
can't be, a line says so. With --grants FILE pods may name in annotations what the file says, and no more.

Pods in a subnet reach Services and the cluster's DNS by ACI's kube-proxy where the network routes the addresses of pods
(AKS with flat Azure CNI); elsewhere a line says why not and what to do. --services and --dns decide it for good.

  attach --app kubelet --resource-group aci-pods --aks prod --aks-resource-group prod --nodes aci-1
  attach --app kubelet --resource-group aci-pods --kubeconfig admin.conf --nodes aci-1,aci-2 --zones 1,2
  attach --app kubelet --resource-group aci-pods --nodes aci-1 --acr prodimages --grants grants.yaml
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
  const pull = await gatherPullWork(context, gathered, appFacts);
  const registries = (pull?.facts.registries ?? []).map(({ loginServer }) => loginServer);
  const agent = planAgentWork(app, { given: wants.agent, registries });
  const input = { wants, facts, appUrl: appFacts.url };
  const isChartCurrent =
    chart === undefined ||
    (await progress.step('chart, tried on the API server', () => judgeChart(context, { ...input, chart })));
  const remark = await appRemark(appFacts.url, facts.cluster.uid);
  if (remark !== undefined) context.out.warn(remark);
  for (const sentence of describeUnknownWorkspaces(wants.grants ?? [], app.settings.LOG_ANALYTICS_WORKSPACES))
    context.out.warn(sentence);
  if (wants.dryRun) return reportPlan(context, { ...input, isChartCurrent, pull, agent });
  const done = await performAttach(context, { ...input, chart, app, isChartCurrent, pull, agent });
  return reportDone(context, {
    done,
    reach: reachPlan(wants, facts),
    podsWay: apiServerForPods(wants, facts, knownOf(facts)),
    grants: wantedGrants(wants, knownOf(facts)) ?? [],
  });
}

/** What `--acr` asks for, as Azure has it; undefined without it. */
async function gatherPullWork(
  context: CliContext,
  { wants: { registries }, app }: Gathered,
  appFacts: AppFacts,
): Promise<PullWork | undefined> {
  const { source } = app;
  if (registries.length === 0 || source.kind === 'file') return undefined;
  const facts = await context.out.progress.step('registries', () =>
    gatherPull(context, { source, app, appFacts, registries }),
  );
  return { source, appPrincipalId: appFacts.principalId ?? '', facts };
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
  const { clusters: registered } = await readRegistrations(await context.registrations(), context.signal);
  const known = registered.find(({ uid }) => uid === identity.uid);
  const reach = await gatherReach(context, {
    wants: wants.reach,
    app,
    namespace: wants.namespace,
    clusterUid: identity.uid,
    registered: known,
    aks: found.aks?.network,
    keepsChart: chart === undefined,
    isDryRun: wants.dryRun,
  });
  const services = planReach(wants.reach, reach, known).services !== undefined;
  const notAllowed = await missingRights(context, attachNeeds({ ...wants, services }));
  // Whoever lacks rights is shown all of them, and not stopped by the first question that needs one.
  if (notAllowed.length === 0) {
    refuseUnread(reach, wants.namespace);
    await refuseLeavingNamespace(context, wants.namespace);
  }
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
    registered,
    notAllowed,
    principalId: appFacts.principalId,
    reach,
  };
}

const describeChart = ({ wants, isChartCurrent }: Pick<Plan, 'wants' | 'isChartCurrent'>): string => {
  if (wants.chart === undefined) return 'left as it is';
  return isChartCurrent ? 'as wanted' : 'to be installed or upgraded';
};

type Plan = {
  readonly wants: AttachWants;
  readonly facts: AttachFacts;
  readonly appUrl: string;
  readonly isChartCurrent: boolean;
  readonly pull: PullWork | undefined;
  readonly agent: AgentWork | undefined;
};

const knownOf = ({ registered, cluster }: AttachFacts): ClusterRegistration | undefined =>
  registered.find(({ uid }) => uid === cluster.uid);

function reportPlan(context: CliContext, plan: Plan): ExitCode {
  const { facts, wants } = plan;
  const known = knownOf(facts);
  const nodes = plannedNodes(wants, known?.nodes ?? []);
  const values = chartValues(plan);
  const podsWay = apiServerForPods(wants, facts, known);
  const grants = wantedGrants(wants, known) ?? [];
  const pullSteps = describePull(plan.pull);
  const agent = describeAgentWork(plan.agent);
  const reach = reachPlan(wants, facts);
  const what = {
    dryRun: true,
    cluster: { name: known?.name ?? facts.cluster.name, uid: facts.cluster.uid, isNew: known === undefined },
    namespace: wants.namespace,
    chart: describeChart(plan),
    chartValues: values,
    nodes,
    apiServerForPods: podsWay ?? null,
    ...reachMembers(reach),
    registries: pullSteps ?? [],
    agent,
    grants,
  };
  if (context.out.value(what)) return exitCodes.done;
  context.out.line(
    `would attach ${what.cluster.name} (${what.cluster.uid}), which is ${known === undefined ? 'new' : 'registered already'}`,
  );
  context.out.line(`chart in the namespace ${wants.namespace}: ${what.chart}, with ${JSON.stringify(values)}`);
  reportPodsWay(context, podsWay, reach);
  reportReach(context, reach);
  for (const line of describeSecrets(reach)) context.out.line(line);
  reportSteps(context, pullSteps, agent);
  reportGrants(context, grants, wants.grants !== undefined);
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

function reportSteps({ out }: CliContext, pull: readonly string[] | undefined, agent: readonly string[]): void {
  if (pull?.length === 0) out.line('registries: as wanted');
  for (const step of pull ?? []) out.line(`registries: would ${step}`);
  for (const step of agent) out.line(`agent: would ${step}`);
}

/** Nothing that pods could reach is a warning, whatever the form of the output. */
function reportPodsWay({ out }: CliContext, way: ApiServerForPods | undefined, { services }: ReachPlan): void {
  const line = describeApiServerForPods(way, services !== undefined);
  if (way === undefined && services === undefined) out.warn(line);
  else out.line(line);
}

/** What would be done for `--acr`, in sentences. */
const describePull = (pull: PullWork | undefined): readonly string[] | undefined =>
  pull && planPull(pull.facts).map((step) => describePullStep(step, pull.facts));

/** Each grant, in a line; that there are none only where they were asked for. */
function reportGrants({ out }: CliContext, grants: readonly PodGrant[], isAsked: boolean): void {
  for (const grant of grants) out.line(`grant to ${describeGrant(grant)}`);
  if (grants.length === 0 && isAsked)
    out.line('no grants: pods may name no identity, subnet, workspace or public address');
}

interface Done {
  readonly done: AttachDone;
  readonly reach: ReachPlan;
  readonly podsWay: ApiServerForPods | undefined;
  readonly grants: readonly PodGrant[];
}

function reportDone(context: CliContext, { done, reach, podsWay, grants }: Done): ExitCode {
  const { changes, ...attached } = done;
  const result = { ...attached, changes, apiServerForPods: podsWay ?? null, ...reachMembers(reach), grants };
  if (context.out.value(result)) return exitCodes.done;
  context.out.line(
    done.changes.length === 0
      ? `${done.cluster} is attached as wanted: nothing was changed`
      : `${done.cluster} is attached: ${done.changes.join(', ')}`,
  );
  reportPodsWay(context, podsWay, reach);
  reportReach(context, reach);
  reportGrants(context, grants, false);
  context.out.line(`try: kubectl get nodes; then a pod: kubectl apply -f docs/examples/exit-code.yaml`);
  return exitCodes.done;
}
