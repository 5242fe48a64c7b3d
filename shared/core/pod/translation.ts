/**
 * The contract between a pod and its container group. `inspectPod` judges the spec alone, `listReferences` says what
 * must be read from the cluster, `translatePod` makes the body of the PUT from both.
 */
import type { AgentAccess, AgentFacts } from '../agent/agent-facts.ts';
import type { AssumptionId } from '../agent/assumptions.ts';
import type { AgentDecision } from '../agent/decision.ts';
import type { MadeLiveVolumes } from '../agent/files/live-files.ts';
import type { ProbedPlace } from '../agent/findings/probed-place.ts';
import type { AgentTier } from '../agent/tier.ts';
import type { Result } from '../fault.ts';
import type { ImageConfig } from '../image/image-config.ts';
import type { PullFault } from '../image/look-up-trouble.ts';
import type {
  ClusterDns,
  ClusterServices,
  NoServicesCredential,
  ServicesCredential,
} from '../kubernetes/cluster-reach.ts';
import type { ConfigMapData, PodToken, SecretData, ServiceInfo, TokenRequest } from '../kubernetes/references.ts';
import type { TrustBundleSelector } from '../kubernetes/trust-bundle.ts';
import type { ClaimData, VolumeData } from '../kubernetes/storage.ts';
import type { GroupBody } from '../group/group.ts';
import type { PodGrant } from './grant.ts';

/** What is the same for all pods of one node. */
export interface NodeFacts {
  readonly installation: string;
  readonly cluster: string;
  readonly node: string;
  readonly location: string;
  /** ACI zone, `1` … `3`. */
  readonly zone?: string;
  readonly subnetId?: string;
  /** The node's InternalIP; becomes `status.hostIP`. */
  readonly hostIP: string;
  /** `resourceFieldRef` falls back to the smaller of these and what the group is granted, where a container has no limit (quantities). */
  readonly allocatable: { readonly cpu: string; readonly memory: string };
  /** Where pods reach the API server: `KUBERNETES_SERVICE_HOST` and `_PORT`; undefined: the `kubernetes` service as it is. */
  readonly apiServer?: { readonly host: string; readonly port: number };
  /** What pods in a subnet resolve names of the cluster with; absent: Azure's resolver alone. */
  readonly dns?: ClusterDns;
  /** How pods in a subnet reach ClusterIPs; absent: they don't. */
  readonly services?: ClusterServices;
  /** Whether groups in a subnet get ACI's extension `realtime-metrics`; absent: they don't. */
  readonly realtimeMetrics?: boolean;
  /** `strict` refuses hardening-only fields that the group's isolation meets (rule 8 of docs/architecture.md). */
  readonly securityPolicy: 'compatible' | 'strict';
  /** The largest group that ACI takes here; a pod above it can never run. */
  readonly maxGroup: { readonly cpu: number; readonly memoryInGB: number };
  /** What pods may name in annotations; absent: nothing. `assumed`: nobody knows here, and it is reported what they need. */
  readonly grants?: readonly PodGrant[] | 'assumed';
  /** Of Log Analytics, by the names that annotations use; holds keys. */
  readonly workspaces?: Readonly<Record<string, Workspace>>;
  /** Absent: there is no agent. */
  readonly agent?: AgentFacts;
  /** What probes have found in the region of the node; absent: nothing. */
  readonly probes?: readonly ProbedPlace[];
  /** Of the pod's own place (`placed`), which assumptions were found to fail there; absent: none. */
  readonly failed?: ReadonlySet<AssumptionId>;
  /** By the login server of a registry of Azure, the identity that pulls its images. */
  readonly pullIdentities?: Readonly<Record<string, string>>;
}

/** Where a group sends its logs. */
export interface Workspace {
  readonly workspaceId: string;
  /** Absent: the app has none, or not yet. */
  readonly workspaceKey?: string;
  readonly logType?: 'ContainerInsights' | 'ContainerInstanceLogs';
}

/** What of it a spec is judged by. */
export type InspectionFacts = Pick<
  NodeFacts,
  | 'securityPolicy'
  | 'maxGroup'
  | 'location'
  | 'subnetId'
  | 'zone'
  | 'grants'
  | 'workspaces'
  | 'dns'
  | 'services'
  | 'agent'
  | 'probes'
  | 'failed'
>;

/** A pod that ACI can never run: Failed, with this reason; the message names the field's path and the fix. */
export interface Refusal {
  readonly kind: 'refused';
  readonly reason: string;
  readonly field: string;
  readonly message: string;
  /** The tier in which the agent would give it. */
  readonly agent?: AgentTier;
}

/** Something the user should know once, as an event; the pod runs. */
export interface Notice {
  /** `Warning` where a kubelet warns; absent: `Normal`. */
  readonly type?: 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface Inspection {
  /** What the pod's status says: the first, with the fields of the others. */
  readonly refusal: Refusal | undefined;
  /** One for each field that is refused, in the order in which they are reported. */
  readonly refusals: readonly Refusal[];
  readonly notices: readonly Notice[];
  /** What the pod gets of the agent, as far as its spec says. */
  readonly agentGiven: AgentDecision;
}

/** An image of the pod whose registry has to be asked. */
export interface ImageReference {
  /** As the pod has it. */
  readonly image: string;
  /** `imagePullPolicy: Always`: what a tag names is asked for each time. */
  readonly isAlways: boolean;
}

/** What has to be read before a pod can be translated. Names are of the pod's namespace. */
export interface References {
  readonly configMaps: readonly string[];
  readonly secrets: readonly string[];
  readonly claims: readonly string[];
  /** The pod's namespace, when service links or `kubernetes` service variables are wanted. */
  readonly services: boolean;
  readonly tokens: readonly TokenRequest[];
  readonly trustBundles: readonly TrustBundleSelector[];
  /** The Secret with the token of the kube-proxy that the group gets; absent: it gets none. */
  readonly servicesSecret?: ClusterServices['secret'];
}

/** A claim, the volume that it is bound to, and the Secret that this names, as far as they are there. */
export interface ResolvedClaim {
  readonly claim: ClaimData;
  readonly volume?: VolumeData;
  readonly secret?: SecretData;
}

/** The answers; a name that is missing from a map does not exist in the cluster. */
export interface ResolvedReferences {
  readonly configMaps: ReadonlyMap<string, ConfigMapData>;
  readonly secrets: ReadonlyMap<string, SecretData>;
  readonly claims: ReadonlyMap<string, ResolvedClaim>;
  /** Services of the pod's namespace and `default/kubernetes`. */
  readonly services: readonly ServiceInfo[];
  /** Tokens in the order of `References.tokens`. */
  readonly tokens: readonly PodToken[];
  /** PEM, by `selectorKey`; absent: the API server serves no such objects. */
  readonly trustBundles: ReadonlyMap<string, readonly string[]>;
  /** By the image as the pod has it; a fault is the registry's, and only who needs the image waits for it. */
  readonly images: ReadonlyMap<string, Result<ImageConfig>>;
  /** What the agents of the group would speak to the app with; absent: there are no keys. */
  readonly agent?: AgentAccess;
  /** Absent where `References.servicesSecret` is. */
  readonly servicesCredential?: ServicesCredential | NoServicesCredential;
}

export type Translation =
  | {
      readonly kind: 'group';
      readonly body: GroupBody;
      readonly notices: readonly Notice[];
      /** Containers whose agents report, beside each other. */
      readonly reporting?: readonly string[];
      /** The volumes whose files its agents change; absent: none. */
      readonly liveVolumes?: MadeLiveVolumes;
    }
  | Refusal
  /** Something the pod refers to is missing, or a registry does not say; it stays Pending and is tried again. */
  | {
      readonly kind: 'waiting';
      readonly reason: 'CreateContainerConfigError' | 'FailedMount' | 'ErrImagePull';
      readonly message: string;
      /** The field that keeps it waiting for as long as the pod and its image are as they are. */
      readonly field?: string;
      /** The container that it keeps from being created; absent: all of them. */
      readonly container?: { readonly member: 'initContainers' | 'containers'; readonly name: string };
      /** What a registry did not say, and why. */
      readonly pull?: PullFault;
    };
