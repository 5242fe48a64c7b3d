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
}

/** What is POSTed once; labels and taints can't be changed by a node afterwards (NodeRestriction). */
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
