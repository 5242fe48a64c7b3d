import type { ClusterRegistration, NodeRegistration } from '../../../shared/wire/settings.ts';
import { chooseApiServerForPods } from '../cluster/api-server-for-pods.ts';
import type { ApiServerForPods } from '../cluster/api-server-for-pods.ts';
import { tokenSettingOf } from '../cluster/names.ts';
import { planReach } from '../cluster/reach-of-pods.ts';
import type { ReachFacts, ReachPlan } from '../cluster/reach-of-pods.ts';
import type { AttachWants } from './wants.ts';
import { defined } from '../../../shared/core/defined.ts';

/** Everything that was found out before anything is changed. */
export interface AttachFacts {
  readonly installation: string;
  readonly cluster: {
    readonly name: string;
    readonly uid: string;
    readonly version: string;
    readonly server: string;
    readonly caPem: string | undefined;
    /** Undefined where it is no AKS cluster that az reported. */
    readonly entra: boolean | undefined;
    /** The API server's FQDN; undefined likewise. */
    readonly aksHost: string | undefined;
  };
  /** Of the Nodes that are wanted, those that exist. */
  readonly existingNodes: readonly { readonly name: string; readonly owner: string | undefined }[];
  /** Clusters in the setting CLUSTERS. */
  readonly fixed: readonly ClusterRegistration[];
  /** Clusters in the blob. */
  readonly registered: readonly ClusterRegistration[];
  /** What the user may not do, such as `create clusterroles`. */
  readonly notAllowed: readonly string[];
  /** Who the app is toward Kubernetes, with `--auth entra`. */
  readonly principalId: string | undefined;
  readonly reach: ReachFacts;
}

/** A reason not to begin. */
export interface Complaint {
  readonly problem: string;
  readonly fix: string;
}

export const oldestKubernetes = { major: 1, minor: 30 } as const;

type Rule = (wants: AttachWants, facts: AttachFacts) => readonly Complaint[];

/** All reasons not to begin; none means that every step is expected to work. Pure. */
export function checkAttach(wants: AttachWants, facts: AttachFacts): readonly Complaint[] {
  return rules.flatMap((rule) => rule(wants, facts));
}

const rules: readonly Rule[] = [
  (_, { cluster }) => {
    const [, major = '0', minor = '0'] = /^v(\d+)\.(\d+)/.exec(cluster.version) ?? [];
    const isOld = Number(major) === oldestKubernetes.major && Number(minor) < oldestKubernetes.minor;
    const problem = `the cluster runs Kubernetes ${cluster.version}, and ${oldestKubernetes.major}.${oldestKubernetes.minor} is the oldest that will do`;
    return isOld ? [{ problem, fix: 'upgrade it: az aks upgrade' }] : [];
  },
  (_, { notAllowed }) =>
    notAllowed.length === 0
      ? []
      : [
          {
            problem: `your user may not ${notAllowed.join(', ')} in the cluster`,
            fix: 'use the kubeconfig of an administrator (role Azure Kubernetes Service RBAC Cluster Admin, or az aks get-credentials --admin)',
          },
        ],
  ({ nodes }, { existingNodes, installation }) =>
    existingNodes
      .filter(({ name, owner }) => owner !== installation && nodes.some((node) => node.name === name))
      .map(({ name, owner }) => ({
        problem: `the cluster has a Node ${name} already, ${owner === undefined ? 'which is not one of ours' : `of the installation ${owner}`}`,
        fix: 'choose another name with --nodes',
      })),
  (_, { fixed, cluster }) =>
    fixed.some(({ uid }) => uid === cluster.uid)
      ? [
          {
            problem: "the cluster is in the app's setting CLUSTERS, which outranks every other registration",
            fix: 'take it out of CLUSTERS, then attach it',
          },
        ]
      : [],
  (wants, { registered, cluster }) => {
    const known = registered.find(({ uid }) => uid === cluster.uid);
    return known === undefined || wants.clusterName === undefined || known.name === wants.clusterName
      ? []
      : [
          {
            problem: `this cluster is registered under the name ${known.name}, not ${wants.clusterName}`,
            fix: `leave --cluster-name out, or detach it first`,
          },
        ];
  },
  (wants, { registered, fixed, cluster }) => {
    const name = clusterName(wants, cluster);
    const other = [...fixed, ...registered].find((known) => known.name === name && known.uid !== cluster.uid);
    return other === undefined
      ? []
      : [
          {
            problem: `the name ${name} is that of another registered cluster, with the UID ${other.uid}`,
            fix: `give this one another with --cluster-name; if that one is gone: detach --force --cluster ${other.uid}`,
          },
        ];
  },
  (wants, { registered, cluster }) => {
    const known = registered.find(({ uid }) => uid === cluster.uid);
    const home = known?.relay.serviceAccount.split(':')[0];
    return home === undefined || home === wants.namespace
      ? []
      : [
          {
            problem: `this cluster is attached with the namespace ${home}, not ${wants.namespace}`,
            fix: `add --namespace ${home}, or detach it first`,
          },
        ];
  },
  ({ auth }, { cluster }) =>
    auth === 'entra' && cluster.entra === false
      ? [
          {
            problem: 'the AKS cluster takes no Entra tokens: it has no AKS-managed integration',
            fix: 'turn it on with az aks update --enable-aad, or attach with --auth token',
          },
        ]
      : [],
  ({ auth }, { principalId }) =>
    auth === 'entra' && principalId === undefined
      ? [
          {
            problem: "with --auth entra the object id of the app's identity is needed, and it is not known",
            fix: 'name the app with --app and --resource-group, or give --principal-id, or attach with --auth token',
          },
        ]
      : [],
  (_, { cluster }) =>
    cluster.server.startsWith('https://')
      ? []
      : [{ problem: `the API server's URL is ${cluster.server}, not https://`, fix: 'give --server https://…' }],
  (wants, facts) => reachPlan(wants, facts).complaints,
  checkKeptChart,
];

/** What something else installs must be there before the registration that makes the app use it. */
function checkKeptChart(wants: AttachWants, facts: AttachFacts): readonly Complaint[] {
  const { credential } = reachPlan(wants, facts).credentials;
  if (!facts.reach.keepsChart || wants.dryRun || credential === undefined) return [];
  if (facts.reach.secrets.some(({ name, hasToken }) => name === credential && hasToken)) return [];
  const { secretsUnread } = facts.reach;
  if (secretsUnread !== undefined)
    return [
      {
        problem: `pods are to reach Services, and whether the namespace ${wants.namespace} has the Secret ${credential} with a token can't be seen: ${secretsUnread}`,
        fix: 'the same command again; it takes a user who may get Secrets there',
      },
    ];
  return [
    {
      problem: `pods are to reach Services, and the namespace ${wants.namespace} has no Secret ${credential} with a token, which --keep-chart does not make`,
      fix: 'install the chart with the values that the same command shows with --dry-run (services), or attach with --services off',
    },
  ];
}

const clusterName = (wants: AttachWants, cluster: AttachFacts['cluster']): string => wants.clusterName ?? cluster.name;

/** The relay's own, of every pod of it. */
const healthPort = 10_248;

/** The nodes with their ports: those that are registered keep theirs, new ones have the next free one from `port`. */
export function plannedNodes(
  wants: Pick<AttachWants, 'nodes' | 'port'>,
  known: readonly NodeRegistration[],
): readonly { readonly name: string; readonly port: number }[] {
  const taken = new Set([healthPort, ...known.map(({ port }) => port)]);
  const added = wants.nodes
    .filter(({ name }) => !known.some((node) => node.name === name))
    .map(({ name }) => {
      let { port } = wants;
      while (taken.has(port)) port++;
      taken.add(port);
      return { name, port };
    });
  return [...known.map(({ name, port }) => ({ name, port })), ...added];
}

/** The setting that holds the token of `--auth token`, unless the operator names one. */
export const tokenSettingName = (wants: AttachWants, uid: string): string => wants.tokenSetting ?? tokenSettingOf(uid);

export interface RegistrationInput {
  readonly wants: AttachWants;
  readonly facts: AttachFacts;
  readonly appUrl: string;
  readonly address: string;
}

/**
 * The list with this cluster as wanted: everything else in it stays as it is, what an operator wrote about its nodes
 * too. Undefined when it says all that already. Nodes that were draining or removed and are named again become active.
 */
export function withCluster(
  clusters: readonly ClusterRegistration[],
  input: RegistrationInput,
): readonly ClusterRegistration[] | undefined {
  const { uid } = input.facts.cluster;
  const before = clusters.find((cluster) => cluster.uid === uid);
  const after = registrationOf(before, input);
  if (before !== undefined && JSON.stringify(before) === JSON.stringify(after)) return undefined;
  return before === undefined
    ? [...clusters, after]
    : clusters.map((cluster) => (cluster.uid === uid ? after : cluster));
}

function registrationOf(before: ClusterRegistration | undefined, input: RegistrationInput): ClusterRegistration {
  const { wants, facts, appUrl, address } = input;
  const { cluster } = facts;
  const podsWay = apiServerForPods(wants, facts, before);
  const grants = wantedGrants(wants, before);
  const { dns, services, declined } = reachPlan(wants, facts, before);
  const common = {
    name: before?.name ?? clusterName(wants, cluster),
    uid: cluster.uid,
    server: cluster.server,
    ...defined({ certificateAuthority: cluster.caPem }),
    auth:
      wants.auth === 'entra'
        ? ({ kind: 'entra' } as const)
        : ({ kind: 'token', setting: tokenSettingName(wants, cluster.uid) } as const),
    version: cluster.version,
    relay: { audience: audienceOf(before, appUrl), serviceAccount: `${wants.namespace}:relay` },
    ...defined({ apiServerForPods: podsWay, dns, services, declined, grants }),
  };
  const ports = new Map(plannedNodes(wants, before?.nodes ?? []).map(({ name, port }) => [name, port]));
  const kept = (before?.nodes ?? []).map((node): NodeRegistration => {
    const wanted = wants.nodes.find(({ name }) => name === node.name);
    // All nodes are behind the one relay.
    if (wanted === undefined) return { ...node, address };
    const { zone, ...rest } = node;
    const wantedZone = wanted.zone ?? zone;
    return ordered({ ...rest, address, state: 'active', ...defined({ zone: wantedZone }) });
  });
  const added = wants.nodes
    .filter(({ name }) => before?.nodes.some((node) => node.name === name) !== true)
    .map(({ name, zone }) =>
      ordered({
        name,
        state: 'active',
        ...defined({ zone }),
        address,
        port: ports.get(name) ?? wants.port,
        ...nodeDefaults,
      }),
    );
  return { ...common, nodes: [...kept, ...added] };
}

/** How pods reach the cluster once it is attached, as it was decided before anything was changed. */
export const reachPlan = (
  { reach }: Pick<AttachWants, 'reach'>,
  facts: Pick<AttachFacts, 'reach' | 'registered' | 'cluster'>,
  before?: ClusterRegistration,
): ReachPlan => planReach(reach, facts.reach, facts.registered.find(({ uid }) => uid === facts.cluster.uid) ?? before);

/** What pods may name once the cluster is attached; no grants leave no member. */
export const wantedGrants = (
  { grants }: Pick<AttachWants, 'grants'>,
  before: ClusterRegistration | undefined,
): ClusterRegistration['grants'] => {
  if (grants === undefined) return before?.grants;
  return grants.length === 0 ? undefined : [...grants];
};

/** Where pods reach the API server once the cluster is attached. */
export const apiServerForPods = (
  wants: Pick<AttachWants, 'apiServerForPods'>,
  { cluster }: Pick<AttachFacts, 'cluster'>,
  before: ClusterRegistration | undefined,
): ApiServerForPods | undefined =>
  chooseApiServerForPods({
    wanted: wants.apiServerForPods,
    registered: before?.apiServerForPods,
    aksHost: cluster.aksHost,
    server: cluster.server,
  });

/** As the schema of registrations has them. */
const nodeDefaults = { cpu: '100', memory: '400Gi', pods: 100, taint: true, labels: {} };

/** Members in the order of the schema, so that an unchanged registration is also the same text. */
function ordered(node: NodeRegistration): NodeRegistration {
  const { name, state, zone, address, port, cpu, memory, pods, taint, labels } = node;
  return { name, state, ...defined({ zone }), address, port, cpu, memory, pods, taint, labels };
}

/** A cluster that is attached keeps its audience, even where the app has another host name by now. */
export const audienceOf = (before: ClusterRegistration | undefined, appUrl: string): string =>
  before?.relay.audience ?? appUrl;
