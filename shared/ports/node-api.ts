import type { Result } from '../core/fault.ts';
import type { Pod } from '../core/kubernetes/pod.ts';
import type { PodWrite } from '../core/kubernetes/status-patch.ts';
import type { KubeNode, Lease, NodeChange, NodeStatusPatch, NodeTemplate } from '../core/kubernetes/node.ts';
import type { KubeEvent } from '../core/kubernetes/event.ts';
import type { ClaimData, VolumeData } from '../core/kubernetes/storage.ts';
import type { TrustBundleSelector } from '../core/kubernetes/trust-bundle.ts';
import type { EmptyServicesSecret, ServicesCredential } from '../core/kubernetes/cluster-reach.ts';
import type { ConfigMapData, PodToken, SecretData, ServiceInfo, TokenRequest } from '../core/kubernetes/references.ts';

export interface ObjectRef {
  readonly namespace: string;
  readonly name: string;
}

/**
 * One cluster's API server, spoken to *as one node* (`system:node:<name>`, group `system:nodes`), so that the Node
 * authorizer and NodeRestriction bound every call (https://kubernetes.io/docs/reference/access-authn-authz/node/). One HTTP request a call unless its method
 * says otherwise, never repeated inside, bounded by `signal`. `throttled` carries the API server's Retry-After.
 */
export interface NodeApi {
  /** The API server's time in ms, from the `Date` header of the last answer plus monotonic time since; undefined before the first. */
  now(): number | undefined;

  getNode(signal: AbortSignal): Promise<Result<KubeNode>>;
  createNode(node: NodeTemplate, signal: AbortSignal): Promise<Result<KubeNode>>;
  /** Strategic merge of `status`; conditions of other owners survive, addresses are replaced. */
  patchNodeStatus(patch: NodeStatusPatch, signal: AbortSignal): Promise<Result<KubeNode>>;
  getLease(signal: AbortSignal): Promise<Result<Lease>>;
  createLease(lease: Lease, signal: AbortSignal): Promise<Result<Lease>>;
  /** PUT with the resourceVersion of `lease`; `conflict` when somebody renewed meanwhile. */
  updateLease(lease: Lease, signal: AbortSignal): Promise<Result<Lease>>;
  deleteLease(signal: AbortSignal): Promise<Result<void>>;

  /** All pods bound to the node, from a consistent read (no resourceVersion), all pages or a fault. */
  listPods(signal: AbortSignal): Promise<Result<readonly Pod[]>>;
  /** One pod, read as a consistent LIST by name and node, because a GET of an absent pod answers 403: undefined means absent. */
  getPod(ref: ObjectRef, signal: AbortSignal): Promise<Result<Pod | undefined>>;
  /**
   * Replaces the status as the kubelet does: own conditions and container statuses; conditions of other owners survive.
   * Annotations that come with it are changed, the others stay.
   * Guarded by UID and resourceVersion: `conflict` when the object changed, `not-found` when it or its UID is gone.
   */
  patchPodStatus(pod: Pod, status: PodWrite, signal: AbortSignal): Promise<Result<Pod>>;
  /** Final removal (grace 0) or, with `gracePeriodSeconds`, an ordinary graceful delete. UID precondition. Succeeds when absent or another UID. */
  deletePod(
    pod: Pick<Pod, 'metadata'>,
    options: { readonly gracePeriodSeconds?: number },
    signal: AbortSignal,
  ): Promise<Result<void>>;

  getSecret(ref: ObjectRef, signal: AbortSignal): Promise<Result<SecretData>>;
  getConfigMap(ref: ObjectRef, signal: AbortSignal): Promise<Result<ConfigMapData>>;
  /** The present resourceVersion of a ConfigMap or Secret; nothing of what is in it is asked for. */
  getReferenceVersion(kind: 'configMap' | 'secret', ref: ObjectRef, signal: AbortSignal): Promise<Result<string>>;
  /** A node may read the claims that its pods name, the volumes that these are bound to, and the Secrets that those name. */
  getPersistentVolumeClaim(ref: ObjectRef, signal: AbortSignal): Promise<Result<ClaimData>>;
  getPersistentVolume(name: string, signal: AbortSignal): Promise<Result<VolumeData>>;
  /** Services of a namespace that have a cluster IP. */
  listServices(namespace: string, signal: AbortSignal): Promise<Result<readonly ServiceInfo[]>>;
  /**
   * The PEM of each ClusterTrustBundle that is selected; a node may read them all. `not-found` with the code `NotServed`
   * where the API server serves no version of them. Two to four requests: discovery, then a list.
   */
  listTrustBundles(selector: TrustBundleSelector, signal: AbortSignal): Promise<Result<readonly string[]>>;
  /**
   * A token bound to the pod (TokenRequest), with the time for which it lives in fact. One request; two where the first
   * token lives for less than `elseSeconds`.
   */
  createToken(request: TokenRequest, signal: AbortSignal): Promise<Result<PodToken>>;
  /** One that is there already stays as it is, which is a success. */
  createEvent(event: KubeEvent, signal: AbortSignal): Promise<Result<void>>;
  /**
   * Gives the event of this key its count, its message and `at` as the time of its last happening; doing it twice changes
   * nothing more. The API server keeps it for another hour; `not-found` when it has dropped it.
   */
  repeatEvent(event: KubeEvent, signal: AbortSignal): Promise<Result<void>>;
}

/** One cluster's API server, spoken to as the app itself: the few things that a node may not do. */
export interface ClusterApi {
  /** UID of the kube-system namespace: proves that this is still the cluster that was attached. */
  getClusterUid(signal: AbortSignal): Promise<Result<string>>;
  /** Asks this cluster who a bearer token is, for the given audience. */
  reviewToken(token: string, audience: string, signal: AbortSignal): Promise<Result<TokenIdentity | undefined>>;
  /**
   * The token that the kube-proxies of the cluster's pods get; the app's right to read it is limited to the Secrets of
   * `servicesSecrets`. `not-found` without the Secret, `denied` with the code `Forbidden` without the right.
   */
  getServicesCredential(
    secret: ObjectRef,
    signal: AbortSignal,
  ): Promise<Result<ServicesCredential | EmptyServicesSecret>>;
  /**
   * Changes labels, annotations, taints or the cordon of one of our nodes (limited by resourceNames) as it was read: a
   * strategic merge patch guarded by UID and resourceVersion, so that nobody's change in between is lost. `conflict` when
   * there was one, `not-found` when the Node is gone, `denied` or `rejected` when rights, an admission webhook or the
   * server's validation refuse it. Doing it twice changes nothing more.
   */
  patchNode(node: Pick<KubeNode, 'metadata'>, change: NodeChange, signal: AbortSignal): Promise<Result<KubeNode>>;
  /** Succeeds when absent. */
  deleteNode(name: string, uid: string, signal: AbortSignal): Promise<Result<void>>;
}

export interface TokenIdentity {
  readonly username: string;
  readonly groups: readonly string[];
}
