import * as z from 'zod';
import { faultClause } from '../inspect/fault-reason.ts';
import { readRelease } from '../cluster/chart-release.ts';
import { madeByLabel, readNamespace } from '../cluster/namespace.ts';
import { leaseNamespace } from '../../../shared/core/kubernetes/node.ts';
import { nodesOf, podsOnNode, readLease } from '../inspect/read-cluster.ts';
import type { CliContext } from '../context.ts';
import { getObject } from '../cluster/objects.ts';
import { readRegistrations } from '../registrations.ts';
import { failure } from '../stop.ts';
import { groupsOfCluster } from './plan.ts';
import type { Remains } from './plan.ts';
import type { ClusterRows } from './rows.ts';

export interface RemainsWants {
  readonly installation: string;
  readonly uid: string;
  /** The nodes that were detached. */
  readonly nodes: readonly string[];
  /** Whether the whole cluster was. */
  readonly whole: boolean;
  readonly namespace: string;
  readonly keepChart: boolean;
  readonly rows: ClusterRows;
}

/** Looks for everything that attaching and running may have made, and says of each what is left. Changes nothing. */
export async function findRemains(context: CliContext, wants: RemainsWants): Promise<readonly Remains[]> {
  const inCluster = wants.whole && !wants.keepChart ? await chartRemains(context, wants) : [];
  return [
    { what: 'Nodes', left: await nodesLeft(context, wants) },
    {
      what: 'Leases',
      left: await each(wants.nodes, async (name) => ((await readLease(context, name)) === undefined ? [] : [name])),
    },
    { what: 'pods on the nodes', left: await each(wants.nodes, (name) => podsOnNode(context, name)) },
    ...inCluster,
    ...(await outsideRemains(context, wants)),
  ];
}

/** What is left outside of the cluster; all that can be asked where it is gone. */
export async function outsideRemains(
  context: CliContext,
  wants: Pick<RemainsWants, 'installation' | 'uid' | 'nodes' | 'whole' | 'rows'>,
): Promise<readonly Remains[]> {
  const listed = await (await context.groups()).list(context.signal);
  if (!listed.ok)
    throw failure(`container groups: ${faultClause(listed.fault)}`, 'run the same command again to see what is left');
  const { installation, uid } = wants;
  const groups = groupsOfCluster(listed.value, { installation, uid, ...(wants.whole ? {} : { nodes: wants.nodes }) });
  const { clusters } = await readRegistrations(await context.registrations(), context.signal);
  const registered = clusters
    .filter((cluster) => cluster.uid === uid)
    .flatMap((cluster) => cluster.nodes.map(({ name }) => name))
    .filter((name) => wants.whole || wants.nodes.includes(name));
  const { rows } = await wants.rows.count();
  return [
    { what: 'container groups', left: groups.map(({ name }) => name) },
    { what: 'registrations', left: registered },
    { what: 'rows in the tables', left: rows === 0 ? [] : [`${rows} rows`] },
  ];
}

/** Of the detached nodes, and after a whole detach every Node that names this installation as its owner. */
async function nodesLeft(
  context: CliContext,
  { nodes, whole, installation }: RemainsWants,
): Promise<readonly string[]> {
  const owned = await nodesOf(context, installation);
  return owned.filter((name) => whole || nodes.includes(name));
}

async function chartRemains(context: CliContext, wants: RemainsWants): Promise<readonly Remains[]> {
  const { namespace, installation } = wants;
  const labels = await readNamespace(context, namespace);
  const release = labels === undefined ? undefined : await readRelease(context, namespace);
  const isOurs = labels?.[madeByLabel] === installation;
  return [
    {
      what: 'namespace and release',
      left: isOurs ? [namespace] : release === undefined ? [] : [`release in ${namespace}`],
    },
    { what: 'roles and bindings', left: await namesOf(context, namespace, roleKinds) },
    { what: 'admission policies', left: await namesOf(context, namespace, policyKinds) },
  ];
}

const rbac = '/apis/rbac.authorization.k8s.io/v1';
const admission = '/apis/admissionregistration.k8s.io/v1';
const inLeases = `namespaces/${leaseNamespace}`;
const roleKinds = ['clusterroles', 'clusterrolebindings', `${inLeases}/roles`, `${inLeases}/rolebindings`].map(
  (kind) => `${rbac}/${kind}`,
);
const policyKinds = [
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
].map((kind) => `${admission}/${kind}`);
const listSchema = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }) })) });
const ourLabel = encodeURIComponent('app.kubernetes.io/name=serverless-kubelet');

/** Objects of the chart outside of its namespace: their names begin with it, and helm made them. */
function namesOf(context: CliContext, namespace: string, kinds: readonly string[]): Promise<readonly string[]> {
  return each(kinds, async (kind) => {
    const answer = await getObject(context, `${kind}?labelSelector=${ourLabel}`);
    // A kind that this cluster does not serve has no objects.
    if (answer === undefined) return [];
    return listSchema
      .parse(answer)
      .items.map(({ metadata }) => metadata.name)
      .filter((name) => name.startsWith(`${namespace}-`))
      .map((name) => `${kind.split('/').at(-1) ?? ''}/${name}`);
  });
}

async function each<T>(items: readonly T[], find: (item: T) => Promise<readonly string[]>): Promise<readonly string[]> {
  return (await Promise.all(items.map(find))).flat();
}
