/** Where each node's heartbeat lives, in every cluster. */
export const leaseNamespace = 'kube-node-lease';

/** The parts of `v1.Node` and `coordination.k8s.io/v1.Lease` that the kubelet reads and writes. */
export interface KubeNode {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly unschedulable: boolean;
  readonly taints: readonly Taint[];
  readonly status: NodeStatus;
}

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
  /** RFC 3339; the taint eviction's own, of NoExecute. Here so that a list that is written back has it still. */
  readonly timeAdded?: string;
}

/** What is to change in a Node's metadata and spec; what is absent stays as it is. */
export interface NodeChange {
  /** Set; other labels stay. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Set, or removed by null; other annotations stay. */
  readonly annotations?: Readonly<Record<string, string | null>>;
  /** The whole list, with the taints of other owners. */
  readonly taints?: readonly Taint[];
  readonly unschedulable?: boolean;
}

/** What is POSTed once. A node can't change its taints afterwards, nor most of Kubernetes' own labels (NodeRestriction). */
export interface NodeTemplate {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly status: NodeStatus;
}

export interface NodeStatus {
  readonly capacity: Readonly<Record<string, string>>;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly conditions: readonly NodeCondition[];
  readonly addresses: readonly { readonly type: string; readonly address: string }[];
  /** The relay's port for this node. */
  readonly kubeletPort: number;
  readonly nodeInfo: Readonly<Record<string, string>>;
  /** What this kubelet can that not every one can (KEP-5328); sorted. An API server that does not know the member drops it. */
  readonly declaredFeatures: readonly string[];
}

export type NodeStatusPatch = NodeStatus;

export interface NodeCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastHeartbeatTime: string;
  readonly lastTransitionTime: string;
}

export interface Lease {
  /** Absent before it was created. */
  readonly resourceVersion?: string;
  readonly name: string;
  readonly ownerUid?: string;
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  /** Microseconds since the epoch (MicroTime has six decimals). */
  readonly renewTimeMicros: number;
}
