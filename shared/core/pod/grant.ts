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

/** What a grant lists by name. */
export type GrantedKind = 'identities' | 'subnets' | 'logAnalytics';

/** The pod's ServiceAccount; the API server has set it. */
export const serviceAccountOf = ({ spec }: Pick<Pod, 'spec'>): string =>
  spec.serviceAccountName === '' ? 'default' : spec.serviceAccountName;

const grantsOf = (pod: Pod, grants: readonly PodGrant[]): readonly PodGrant[] =>
  grants.filter(
    ({ namespace, serviceAccount }) =>
      (namespace === '*' || namespace === pod.metadata.namespace) &&
      (serviceAccount === undefined || serviceAccount === serviceAccountOf(pod)),
  );

/** Whether a grant names it for the pod; resource ids are compared as ARM does, without regard to case. */
export const isGranted = (pod: Pod, grants: readonly PodGrant[], kind: GrantedKind, name: string): boolean =>
  grantsOf(pod, grants).some((grant) => grant[kind].some((known) => known.toLowerCase() === name.toLowerCase()));

/** Whether a grant lets the pod have a public address. */
export const isPublicAddressGranted = (pod: Pod, grants: readonly PodGrant[]): boolean =>
  grantsOf(pod, grants).some(({ publicAddress }) => publicAddress);
