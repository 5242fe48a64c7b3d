import type { Pod } from '../kubernetes/pod.ts';

/**
 * What the pods of a namespace, or of one ServiceAccount in it, may name in annotations (docs/security.md). Without a
 * grant no annotation may name an identity, a subnet, a workspace or a public address: whoever makes pods in a namespace
 * would else have what the app may give, not what an operator gave the namespace.
 */
export interface PodGrant {
  /** `*`: every namespace. */
  readonly namespace: string;
  /** Absent: every ServiceAccount of the namespace. */
  readonly serviceAccount?: string;
  /** Resource ids of user-assigned identities. */
  readonly identities: readonly string[];
  /** Resource ids of subnets; `none`: outside of every subnet. */
  readonly subnets: readonly string[];
  /** Names of workspaces in the setting `LOG_ANALYTICS_WORKSPACES`. */
  readonly logAnalytics: readonly string[];
  /** A public address with a DNS name label. */
  readonly publicAddress: boolean;
}

/** A name of `LOG_ANALYTICS_WORKSPACES`. */
export const isWorkspaceName = (name: string): boolean => /^[A-Za-z0-9][\w.-]{0,62}$/.test(name);

/** Names in grants that `LOG_ANALYTICS_WORKSPACES` has not, each once: no pod can use them yet. */
export const unknownWorkspaces = (
  grants: readonly PodGrant[],
  known: Readonly<Record<string, unknown>>,
): readonly string[] =>
  [...new Set(grants.flatMap(({ logAnalytics }) => logAnalytics))].filter(
    (name) => name !== 'none' && !Object.hasOwn(known, name),
  );

/** What a grant lists by name. */
export type GrantedKind = 'identities' | 'subnets' | 'logAnalytics';

/** The pod's ServiceAccount; the API server has set it. */
export const serviceAccountOf = ({ spec }: Pick<Pod, 'spec'>): string =>
  spec.serviceAccountName === '' ? 'default' : spec.serviceAccountName;

/** What the grants name for one pod, of each kind. */
export interface PodGrants {
  /** Resource ids are compared as ARM does, without regard to case; names of workspaces are names of ours. */
  readonly names: (kind: GrantedKind, name: string) => boolean;
  readonly publicAddress: boolean;
}

/** The grants of a pod, read once for all that it asks for. */
export function grantsOf(pod: Pod, grants: readonly PodGrant[]): PodGrants {
  const account = serviceAccountOf(pod);
  const own = grants.filter(
    ({ namespace, serviceAccount }) =>
      (namespace === '*' || namespace === pod.metadata.namespace) &&
      (serviceAccount === undefined || serviceAccount === account),
  );
  const lower = (kind: GrantedKind): ReadonlySet<string> =>
    new Set(own.flatMap((grant) => grant[kind].map((name) => name.toLowerCase())));
  const ids = { identities: lower('identities'), subnets: lower('subnets') };
  const workspaces = new Set(own.flatMap(({ logAnalytics }) => logAnalytics));
  return {
    names: (kind, name) => (kind === 'logAnalytics' ? workspaces.has(name) : ids[kind].has(name.toLowerCase())),
    publicAddress: own.some(({ publicAddress }) => publicAddress),
  };
}
