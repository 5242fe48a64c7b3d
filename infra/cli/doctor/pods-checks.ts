import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { parseNamespaceUid } from '../../../shared/wire/kubernetes/namespace.ts';
import { parseUrl } from '../../../shared/wire/url-text.ts';
import type { ClusterRegistration, Settings } from '../../../shared/wire/settings.ts';
import type { ApiAnswer, ApiRequest } from '../cluster/api.ts';
import { isOwnHost } from '../cluster/api-server-for-pods.ts';
import type { ClusterFault } from '../cluster/cluster-fault.ts';
import type { CliContext } from '../context.ts';
import { failed, good, skipped } from '../inspect/check.ts';
import type { Check } from '../inspect/check.ts';
import { parseNodeSeen } from '../inspect/cluster-objects.ts';
import { createClusterReader } from '../inspect/cluster-reader.ts';
import type { ClusterReader } from '../inspect/cluster-reader.ts';
import { read, valueOf } from '../inspect/observed.ts';
import type { Part } from '../inspect/observed.ts';
import { readDnsPods, readKubernetesService, readMissingRights } from '../inspect/pods-reach/cluster-facts.ts';
import type { ReachFacts } from '../inspect/pods-reach/facts.ts';
import { judgePodReach } from '../inspect/pods-reach/judgements.ts';
import { judgeStuck } from '../inspect/pods-reach/pod-judgement.ts';
import { reachEnvironment } from '../inspect/pods-reach/script.ts';
import type { ReportCheck } from './azure-checks.ts';
import { checkClusterNetwork } from './network-checks.ts';
import type { NetworkSeen } from './network-checks.ts';
import type { PodsWants } from './pods-options.ts';
import { runReachPod } from './run-reach-pod.ts';
import type { ReachOutcome } from './run-reach-pod.ts';

export interface PodsCheck {
  readonly cluster: ClusterRegistration;
  readonly settings: Settings;
  readonly wants: PodsWants;
  /** The context of the kubeconfig that leads there. */
  readonly kubeContext: string | undefined;
  readonly seen: NetworkSeen;
  readonly pollMs: number;
}

/** Starts a pod on one node of the cluster, and judges what it reached. Makes and deletes that pod, and nothing else. */
export async function checkPods(context: CliContext, check: PodsCheck, report: ReportCheck): Promise<void> {
  const { cluster, kubeContext, wants } = check;
  const of = (name: string): string => `${cluster.name}: pods: ${name}`;
  const reader = createClusterReader(context.api, kubeContext);
  // Nothing is made in a cluster that is another one.
  const home = await reader.get('/api/v1/namespaces/kube-system');
  if (home.kind === 'unreadable' || parseNamespaceUid(home.value?.json) !== cluster.uid)
    return report(skipped(of('pod'), 'It needs your access to the cluster that was attached.'));
  const dnsPods = await readDnsPods(reader);
  const ways = await checkClusterNetwork(
    context,
    { cluster, seen: check.seen, dnsPods: valueOf(dnsPods) ?? [] },
    report,
  );
  const node = await findNode(reader, cluster, wants.node);
  if (typeof node !== 'string') return report({ ...node, name: of('pod') });
  const send = (request: ApiRequest): Promise<ApiAnswer | ClusterFault> =>
    context.api.send({ ...request, context: kubeContext });
  const facts: ReachFacts = { ...(await gatherFacts(reader, send, check)), ...dnsFacts(dnsPods), ...ways };
  const place = await findNamespace(reader, cluster, wants.namespace);
  const outcome = await runReachPod(
    {
      name: `reach-${randomBytes(4).toString('hex')}`,
      ...place,
      node,
      images: wants.images,
      environment: environmentOf(facts),
      deadlineSeconds: Math.ceil(wants.timeoutMs / 1000) + 60,
    },
    { send, out: context.out, signal: context.signal, timeoutMs: wants.timeoutMs, pollMs: check.pollMs },
  );
  for (const one of judgeOutcome(outcome, { facts, node, of, timeout: wants.timeout })) report(one);
}

interface Asked {
  readonly facts: ReachFacts;
  readonly node: string;
  readonly of: (check: string) => string;
  readonly timeout: string;
}

function judgeOutcome(outcome: ReachOutcome, { facts, node, of, timeout }: Asked): readonly Check[] {
  const name = of('pod');
  const rest = skipped(of('what it reaches'), 'It needs the pod.');
  switch (outcome.kind) {
    case 'ran':
      return [
        good(name, `It ran on ${node}, and ended after ${outcome.seconds} s.`),
        ...judgePodReach(outcome.reports, facts, of),
      ];
    case 'stuck':
      return [judgeStuck(name, outcome.state, timeout), rest];
    case 'refused':
      return [failed(name, `The API server does not take the pod: ${outcome.why}`, refusedFix(outcome.why)), rest];
    case 'silent':
      return [
        failed(
          name,
          `It ended, and its logs could not be read: ${outcome.why}`,
          `See the checks of the relay and of the kubelet port, by which logs are read; kubectl logs says the same.`,
        ),
        rest,
      ];
  }
}

const refusedFix = (why: string): string =>
  /PodSecurity/.test(why)
    ? 'Name a namespace that takes such pods (--pods-namespace), or images that run as a user of their own (--musl-image, --glibc-image).'
    : 'You need the rights to create, get and delete pods and to read their logs there; another namespace: --pods-namespace.';

const environmentOf = ({ hasSubnet, dns, service, pod, outside }: ReachFacts): Readonly<Record<string, string>> => {
  const known = hasSubnet ? dns : undefined;
  return reachEnvironment({
    servers: known?.nameServers ?? [],
    clusterName: known && `kubernetes.default.svc.${known.domain}`,
    outside,
    service: hasSubnet ? service : undefined,
    pod: hasSubnet ? pod : undefined,
  });
};

const dnsFacts = (dnsPods: Part<readonly string[]>): Pick<ReachFacts, 'pod' | 'dnsPods'> => ({
  pod: valueOf(dnsPods)?.[0],
  dnsPods: dnsPods.kind === 'read' ? read(dnsPods.value.length) : dnsPods,
});

type OtherFacts = Omit<ReachFacts, 'aks' | 'wayOut' | 'pod' | 'dnsPods'>;

async function gatherFacts(
  reader: ClusterReader,
  send: (request: ApiRequest) => Promise<ApiAnswer | ClusterFault>,
  { cluster, settings, wants }: PodsCheck,
): Promise<OtherFacts> {
  const { dns, services, apiServerForPods: way } = cluster;
  return {
    hasSubnet: settings.ACI_SUBNET_ID !== undefined,
    dns,
    services,
    apiServer: typeof way === 'object' ? way : undefined,
    service: await readKubernetesService(reader),
    outside: wants.outside ?? appHost(cluster) ?? 'mcr.microsoft.com',
    missingRights: await readMissingRights(cluster, (path, body) => send({ method: 'POST', path, body })),
  };
}

/** The relay's tokens are for the app's URL, unless somebody chose another audience. */
function appHost({ relay }: ClusterRegistration): string | undefined {
  const url = parseUrl(relay.audience);
  return url?.protocol === 'https:' && !isOwnHost(url.hostname) ? url.hostname : undefined;
}

/** The node that is asked for, else the first that is active and Ready; a check without its name where there is none. */
async function findNode(
  reader: ClusterReader,
  { nodes }: ClusterRegistration,
  asked: string | undefined,
): Promise<string | Check> {
  const active = nodes.filter(({ name, state }) => state === 'active' && (asked === undefined || name === asked));
  for (const { name } of active) {
    const answer = await reader.get(`/api/v1/nodes/${name}`);
    const seen = answer.kind === 'read' ? parseNodeSeen(answer.value?.json, undefined) : undefined;
    if (seen?.ready === 'True' && !seen.unschedulable) return name;
  }
  if (asked !== undefined && active.length === 0) return skipped('', `It has no active node ${asked}.`);
  const names = active.map(({ name }) => name).join(', ');
  return failed(
    '',
    active.length === 0 ? 'It has no active node.' : `Of ${names} none is Ready and uncordoned.`,
    'See the checks of its nodes; then run it again.',
  );
}

const namespaceSchema = z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()).default({}) }) });

/** The chart's, as `attach` makes it, takes restricted pods only, which have no image that runs as root. */
async function findNamespace(
  reader: ClusterReader,
  { relay }: ClusterRegistration,
  asked: string | undefined,
): Promise<{ readonly namespace: string; readonly isRestricted: boolean }> {
  const [own = ''] = relay.serviceAccount.split(':');
  const namespace = asked ?? own;
  const answer = await reader.get(`/api/v1/namespaces/${namespace}`);
  const labels = answer.kind === 'read' ? namespaceSchema.safeParse(answer.value?.json).data?.metadata.labels : {};
  const isRestricted = labels?.['pod-security.kubernetes.io/enforce'] === 'restricted';
  return isRestricted && asked === undefined
    ? { namespace: 'default', isRestricted: false }
    : { namespace, isRestricted };
}
