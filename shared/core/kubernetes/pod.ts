/**
 * The parts of `v1.Pod` that the kubelet reads. Names and meaning are those of the Kubernetes API reference (core/v1).
 * What is not listed here is still seen: `rawSpec` and `metadata.annotations` carry everything, and the compatibility
 * table names each field of them.
 */
import type { JsonObject } from '../json.ts';
import type { Lifecycle, Probe, RestartRule } from './probe.ts';
import type { LabelSelector } from './trust-bundle.ts';

export type { Hook, Lifecycle, Probe, ProbeHandler, RestartRule } from './probe.ts';

export interface Pod {
  readonly metadata: ObjectMeta;
  readonly spec: PodSpec;
  readonly status: PodStatus;
  /** `spec` exactly as the API server sent it. */
  readonly rawSpec: JsonObject;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  /** RFC 3339. */
  readonly creationTimestamp: string;
  /** RFC 3339; the *deadline* of a graceful delete (request time + grace). */
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ownerReferences: readonly {
    readonly kind: string;
    readonly name: string;
    readonly uid: string;
    readonly controller: boolean;
  }[];
}

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

export interface PodSpec {
  readonly nodeName: string;
  readonly containers: readonly Container[];
  readonly initContainers: readonly Container[];
  readonly restartPolicy: RestartPolicy;
  readonly volumes: readonly Volume[];
  readonly imagePullSecrets: readonly { readonly name: string }[];
  readonly serviceAccountName: string;
  readonly enableServiceLinks: boolean;
  readonly activeDeadlineSeconds?: number;
  readonly terminationGracePeriodSeconds: number;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly EnvVar[];
  readonly envFrom: readonly EnvFromSource[];
  readonly ports: readonly ContainerPort[];
  readonly resources: ResourceRequirements;
  readonly volumeMounts: readonly VolumeMount[];
  /** `Always` makes an init container a sidecar (KEP-753). */
  readonly restartPolicy?: string;
  readonly restartPolicyRules?: readonly RestartRule[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
  readonly lifecycle?: Lifecycle;
  readonly stdin?: boolean;
  readonly stdinOnce?: boolean;
  readonly tty?: boolean;
  readonly terminationMessagePath?: string;
  readonly terminationMessagePolicy?: string;
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: EnvVarSource;
}

export interface EnvVarSource {
  readonly configMapKeyRef?: KeySelector;
  readonly secretKeyRef?: KeySelector;
  readonly fieldRef?: { readonly fieldPath: string };
  readonly resourceFieldRef?: ResourceFieldSelector;
  /** Names of other members (e.g. `fileKeyRef`) that were present. */
  readonly other: readonly string[];
}

export interface KeySelector {
  readonly name: string;
  readonly key: string;
  readonly optional: boolean;
}

export interface ResourceFieldSelector {
  readonly resource: string;
  readonly containerName?: string;
  readonly divisor?: string;
}

export interface EnvFromSource {
  readonly prefix: string;
  readonly configMapRef?: { readonly name: string; readonly optional: boolean };
  readonly secretRef?: { readonly name: string; readonly optional: boolean };
}

export interface ContainerPort {
  readonly containerPort: number;
  readonly protocol: string;
  readonly name?: string;
  readonly hostPort?: number;
}

export interface ResourceRequirements {
  /** Kubernetes quantities as strings, e.g. `250m`, `1.5Gi`. */
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly: boolean;
  readonly subPath?: string;
  readonly subPathExpr?: string;
}

/** A volume has exactly one source; what is not modelled is kept by its member name (`hostPath`, `persistentVolumeClaim`, …). */
export interface Volume {
  readonly name: string;
  readonly source: VolumeSource;
}

export type VolumeSource =
  | { readonly kind: 'emptyDir'; readonly medium?: string; readonly sizeLimit?: string }
  | {
      readonly kind: 'configMap';
      readonly name: string;
      readonly optional: boolean;
      readonly items?: readonly KeyToPath[];
      readonly defaultMode?: number;
    }
  | {
      readonly kind: 'secret';
      readonly name: string;
      readonly optional: boolean;
      readonly items?: readonly KeyToPath[];
      readonly defaultMode?: number;
    }
  | { readonly kind: 'downwardAPI'; readonly items: readonly DownwardApiItem[]; readonly defaultMode?: number }
  | { readonly kind: 'azureFile'; readonly secretName: string; readonly shareName: string; readonly readOnly: boolean }
  /** `claimName` undefined: an ephemeral volume, whose claim has the names of pod and volume. */
  | { readonly kind: 'claim'; readonly claimName: string | undefined; readonly readOnly: boolean }
  | { readonly kind: 'projected'; readonly sources: readonly ProjectedSource[]; readonly defaultMode?: number }
  | { readonly kind: 'other'; readonly field: string };

export interface KeyToPath {
  readonly key: string;
  readonly path: string;
  readonly mode?: number;
}

export interface DownwardApiItem {
  readonly path: string;
  readonly fieldRef?: { readonly fieldPath: string };
  readonly resourceFieldRef?: ResourceFieldSelector;
  readonly mode?: number;
}

export type ProjectedSource =
  | {
      readonly kind: 'configMap';
      readonly name: string;
      readonly optional: boolean;
      readonly items?: readonly KeyToPath[];
    }
  | {
      readonly kind: 'secret';
      readonly name: string;
      readonly optional: boolean;
      readonly items?: readonly KeyToPath[];
    }
  | { readonly kind: 'downwardAPI'; readonly items: readonly DownwardApiItem[] }
  | {
      readonly kind: 'serviceAccountToken';
      readonly audience?: string;
      readonly expirationSeconds: number;
      readonly path: string;
    }
  | {
      readonly kind: 'clusterTrustBundle';
      /** The API server takes a name, or a signer. */
      readonly name?: string;
      readonly signerName?: string;
      readonly labelSelector?: LabelSelector;
      readonly optional: boolean;
      readonly path: string;
    }
  | { readonly kind: 'other'; readonly field: string };

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';

export interface PodStatus {
  readonly phase: PodPhase;
  readonly reason?: string;
  readonly message?: string;
  readonly startTime?: string;
  readonly hostIP?: string;
  readonly podIP?: string;
  readonly qosClass?: string;
  readonly observedGeneration?: number;
  readonly conditions: readonly PodCondition[];
  readonly initContainerStatuses: readonly ContainerStatus[];
  readonly containerStatuses: readonly ContainerStatus[];
  /** Absent where there are none. */
  readonly ephemeralContainerStatuses?: readonly ContainerStatus[];
}

export interface PodCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
  readonly lastProbeTime?: string;
  readonly observedGeneration?: number;
}

export interface ContainerStatus {
  readonly name: string;
  readonly image: string;
  readonly imageID: string;
  readonly containerID?: string;
  readonly ready: boolean;
  readonly started?: boolean;
  readonly restartCount: number;
  readonly state: ContainerState;
  /** The state of the attempt before this one; absent before the first restart. */
  readonly lastState?: ContainerState;
}

export type ContainerState =
  | { readonly kind: 'waiting'; readonly reason: string; readonly message?: string }
  | { readonly kind: 'running'; readonly startedAt: string }
  | {
      readonly kind: 'terminated';
      readonly exitCode: number;
      readonly reason: string;
      readonly message?: string;
      readonly startedAt?: string;
      readonly finishedAt?: string;
      readonly containerID?: string;
    };

export const isTerminalPhase = (phase: PodPhase): phase is 'Succeeded' | 'Failed' =>
  phase === 'Succeeded' || phase === 'Failed';

/** A pod that is to run, or goes on running: nobody deletes it, and it has not ended. */
export const isLivingPod = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp === undefined && !isTerminalPhase(pod.status.phase);

/** Its status shows that a container of it runs or has run: a group of it was accepted. */
export const hasStarted = ({ status }: Pod): boolean =>
  [...status.initContainerStatuses, ...status.containerStatuses].some(
    ({ state, lastState }) => state.kind !== 'waiting' || lastState !== undefined,
  );

/** A DaemonSet's pod is re-created for ever when it fails, so it is never failed (rule 7 of docs/architecture.md). */
export const isDaemonSetPod = (pod: Pod): boolean => controllerOf(pod)?.kind === 'DaemonSet';

/** What makes the pod anew when it is gone; undefined: nobody does. */
export const controllerOf = (pod: Pod): ObjectMeta['ownerReferences'][number] | undefined =>
  pod.metadata.ownerReferences.find((owner) => owner.controller);
