/**
 * A container group as ARM takes it (`GroupBody`, what a PUT sends) and as ARM shows it (`GroupObservation`, what one
 * GET saw). Field names follow `Microsoft.ContainerInstance/containerGroups` api-version 2023-05-01.
 */
export interface GroupBody {
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly zones?: readonly [string];
  readonly containers: readonly GroupContainer[];
  readonly initContainers: readonly GroupInitContainer[];
  readonly restartPolicy: 'Always' | 'OnFailure' | 'Never';
  readonly imageRegistryCredentials: readonly GroupRegistryCredential[];
  readonly identity?: {
    readonly type: 'UserAssigned';
    /** By resource id. */
    readonly userAssignedIdentities: Readonly<Record<string, Record<string, never>>>;
  };
  readonly priority?: 'Spot';
  readonly sku?: 'Confidential';
  readonly confidentialComputeProperties?: { readonly ccePolicy: string };
  readonly encryptionProperties?: {
    readonly vaultBaseUrl: string;
    readonly keyName: string;
    readonly keyVersion: string;
    readonly identity?: string;
  };
  readonly diagnostics?: { readonly logAnalytics: GroupLogAnalytics };
  readonly volumes: readonly GroupVolume[];
  /** Absent when the pod names no port: saves an address. */
  readonly ipAddress?: {
    readonly type: 'Public' | 'Private';
    readonly ports: readonly GroupPort[];
    readonly dnsNameLabel?: string;
  };
  readonly subnetIds?: readonly [{ readonly id: string }];
  /** Only with a subnet. Domains and options are one line each, as in resolv.conf. */
  readonly dnsConfig?: {
    readonly nameServers: readonly string[];
    readonly searchDomains?: string;
    readonly options?: string;
  };
  /** Only with a subnet. */
  readonly extensions?: readonly GroupExtension[];
}

/** A program of Azure's beside the containers, in their network namespace. */
export interface GroupExtension {
  readonly name: string;
  readonly extensionType: 'kube-proxy' | 'realtime-metrics';
  readonly version: string;
  readonly settings?: Readonly<Record<string, string>>;
  /** Never comes back from ARM. */
  readonly protectedSettings?: Readonly<Record<string, string>>;
}

/** By a password, or by an identity of the group. */
export type GroupRegistryCredential =
  | { readonly server: string; readonly username: string; readonly password: string; readonly identity?: undefined }
  | { readonly server: string; readonly identity: string; readonly username?: undefined };

export interface GroupLogAnalytics {
  readonly workspaceId: string;
  /** Never comes back from ARM. */
  readonly workspaceKey: string;
  readonly logType?: 'ContainerInsights' | 'ContainerInstanceLogs';
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface GroupPort {
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
}

/** Exactly one of `value` and `secureValue`; the latter never comes back from ARM. */
export type GroupEnvironmentVariable =
  | { readonly name: string; readonly value: string; readonly secureValue?: undefined }
  | { readonly name: string; readonly secureValue: string; readonly value?: undefined };

export interface GroupVolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
}

export interface GroupInitContainer {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly environmentVariables: readonly GroupEnvironmentVariable[];
  readonly volumeMounts: readonly GroupVolumeMount[];
}

export interface GroupResources {
  /** Cores, in steps of 0.01. */
  readonly cpu: number;
  /** Gigabytes, in steps of 0.1. */
  readonly memoryInGB: number;
}

export interface GroupProbe {
  readonly exec?: { readonly command: readonly string[] };
  readonly httpGet?: { readonly path: string; readonly port: number; readonly scheme: 'http' | 'https' };
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

export interface GroupContainer extends GroupInitContainer {
  readonly ports: readonly GroupPort[];
  readonly livenessProbe?: GroupProbe;
  readonly resources: { readonly requests: GroupResources; readonly limits?: Partial<GroupResources> };
}

export type GroupVolume =
  | { readonly name: string; readonly emptyDir: Record<string, never> }
  /** A share of Azure Files; the key never comes back from ARM. */
  | {
      readonly name: string;
      readonly azureFile: {
        readonly shareName: string;
        readonly storageAccountName: string;
        readonly storageAccountKey: string;
        readonly readOnly?: true;
      };
    }
  /** File name → base64 content. */
  | { readonly name: string; readonly secret: Readonly<Record<string, string>> };

/** One entry of a complete LIST. ARM's LIST carries no state (docs/aci.md, Requests). */
export interface ListedGroup {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly provisioningState: string;
  readonly cpu: number;
}

/** What one GET saw. */
export interface GroupObservation {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly provisioningState: string;
  /** `instanceView.state`: Pending, Running, Succeeded, Failed, Stopped, or something new. */
  readonly state: string;
  readonly restartPolicy: string;
  readonly ip?: string;
  readonly containers: readonly ObservedContainer[];
  readonly initContainers: readonly ObservedContainer[];
  readonly events: readonly GroupEvent[];
}

export interface ObservedContainer {
  readonly name: string;
  readonly image: string;
  /** Absent while provisioning and again after `stop`, which erases it. */
  readonly instanceView?: InstanceView;
  /** Only of a container whose agent speaks to the app. */
  readonly heard?: HeardRun;
}

/** What an agent says of a container, and ACI can't know. */
export interface HeardRun {
  /** Why its program does not run, where the agent keeps it waiting. */
  readonly waiting?: { readonly reason: string; readonly message?: string };
  /** As in a status. */
  readonly started: boolean;
  readonly ready: boolean;
  /** Of an end: nothing starts the program again. */
  readonly isFinal: boolean;
}

export interface InstanceView {
  readonly restartCount: number;
  readonly currentState?: ObservedState;
  readonly previousState?: ObservedState;
  readonly events: readonly GroupEvent[];
}

export interface ObservedState {
  /** `Waiting`, `Running`, `Terminated`, or something new. */
  readonly state: string;
  readonly startTime?: string;
  readonly finishTime?: string;
  readonly exitCode?: number;
  readonly detailStatus: string;
  /** An agent's word for why it ended, and its termination message. */
  readonly reported?: { readonly reason: string; readonly message?: string };
}

export interface GroupEvent {
  readonly name: string;
  readonly message: string;
  readonly type: string;
  readonly count: number;
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
}
