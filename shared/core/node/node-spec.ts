/** What one virtual node is to be: the registration and the cluster's facts, resolved. */
export interface NodeSpec {
  /** ≤ 63 characters, so that it can be the hostname label. */
  readonly name: string;
  /** UID of the cluster's kube-system namespace. */
  readonly cluster: string;
  /** The owner: the function app's name for itself. */
  readonly installation: string;
  /** E.g. `westeurope`. */
  readonly region: string;
  /** ACI zone, `1` … `3`. */
  readonly zone?: string | undefined;
  /** The relay's address as the API server reaches it; becomes InternalIP. */
  readonly address: string;
  /** The relay's port for this node. */
  readonly kubeletPort: number;
  readonly capacity: NodeResources;
  readonly taint: boolean;
  /** What `kubectl get nodes` shows; see `reportedVersion`. */
  readonly kubeletVersion: string;
  /** The operator's own; ours outrank them. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Only an `active` node is created; a `draining` one takes no new pods, a `removed` one is emptied and taken out. */
export type NodeState = 'active' | 'draining' | 'removed';

export interface NodeResources {
  /** Kubernetes quantities, e.g. `100`, `400Gi`. */
  readonly cpu: string;
  readonly memory: string;
  readonly pods: number;
}

export const ownerAnnotation = 'serverless-kubelet.io/owner';

/** `v1.36.3-aci.0.1.0`: inside every skew window, and still saying what it is. */
export const reportedVersion = (apiServer: string, ours: string): string =>
  `${apiServer.replace(/[-+].*$/, '')}-aci.${ours}`;

/** The release in a version that {@link reportedVersion} made; undefined in any other. */
export const ourVersionIn = (reported: string): string | undefined => /^v[\d.]+-aci\.(.+)$/.exec(reported)?.[1];
