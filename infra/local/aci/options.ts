import { random } from '../sim/time/chance.ts';
import { defaultExecKnobs } from './exec/knobs.ts';
import type { ExecKnobs } from './exec/knobs.ts';
import { defaultNetworkKnobs } from './network/knobs.ts';
import type { NetworkKnobs } from './network/knobs.ts';
import type { RegistryCredential } from './runtime/runtime.ts';

/**
 * Every knob of the emulator. What real ACI does is known only in part (docs/aci.md marks it); each inferred behaviour is
 * a field here, so that a client can be tried against both readings.
 */
export interface EmulatorOptions extends NetworkKnobs, ExecKnobs {
  /** Multiplies all of `timings`; 0 makes provisioning instant (unit tests), 1 is what was recorded from Azure. */
  readonly timingsScale: number;
  /** Relative spread of the timings (0.1 = ±10 %). */
  readonly jitter: number;
  /** Same seed, same jitter. */
  readonly jitterSeed: number;
  readonly timings: ProvisioningTimings;
  /** A group that is not provisioned after this time is `Failed` (recorded: 1800 s). Not scaled. */
  readonly provisioningTimeoutSeconds: number;
  /** Documentation: failed groups may go on being tried by the platform. Off: they are given up. */
  readonly failedGroupsKeepTrying: boolean;
  /** Items of a LIST page; the real size is unknown. */
  readonly pageSize: number;
  readonly quota: { readonly containerGroups: number; readonly standardCores: number };
  /** Status of `ContainerGroupQuotaReached`: 400 is seen most, 409 sometimes. */
  readonly quotaStatus: 400 | 409;
  /** Creates and deletes of one subscription: fixed windows from the first request (sliding or fixed is unknown). */
  readonly resourceRequests: { readonly per5Minutes: number; readonly perHour: number };
  /** ARM's token buckets per principal and subscription. */
  readonly armBuckets: Readonly<Record<'reads' | 'writes' | 'deletes', BucketSize>>;
  /** How late Azure Monitor knows of a minute that is over (documented: one to three minutes). */
  readonly monitorLagSeconds: number;
  /** Added to every ARM answer. */
  readonly latencyMs: number;
  /** `sync`: 200 with the last body (recorded). `async`: 202 and a `Deleting` phase (permitted by the specification). */
  readonly deleteMode: 'sync' | 'async';
  /** Whether a group in transition may be deleted (inferred: yes). */
  readonly deleteWhileTransitioning: 'accept' | 'conflict';
  /** `sync`: PUT answers 400 `InaccessibleImage`. `async`: the group waits with `Failed`/`BackOff` events. */
  readonly imageFaultMode: 'sync' | 'async';
  /** In `sync` mode a slower registry than this lets the PUT pass and fails asynchronously. */
  readonly imageCheckMs: number;
  /** Status of a PUT on an existing group: 200 and 201 are both seen. */
  readonly updateStatus: 200 | 201;
  /** Whether a PUT on a group whose containers have all ended may change cpu, memory or policy (inferred: yes). */
  readonly terminatedGroupsAcceptAnyUpdate: boolean;
  /** In-place restarts wait base, 2·base, 4·base … up to max (k8s-like, inferred); a run longer than reset starts anew. */
  readonly restartBackoff: { readonly baseMs: number; readonly maxMs: number; readonly resetMs: number };
  /** Waits between pulls of an image that cannot be had. */
  readonly pullBackoff: { readonly baseMs: number; readonly maxMs: number };
  /** Seconds between TERM and KILL on stop, restart, update and liveness failure (not documented for ACI). */
  readonly stopGraceSeconds: number;
  /** `wait`: POST stop answers when the containers have ended; `background`: at once. */
  readonly stopMode: 'wait' | 'background';
  /** Whether logs can still be read after POST stop (unknown; off is the harder case). */
  readonly logsAfterStop: boolean;
  /** Exit code shown for a container whose start failed (inferred, as runc and kubelet do). */
  readonly startFaultExitCode: number;
  /** Logs: while running the newest `runningBytes`; afterwards the newest `stoppedBytes` or `stoppedLines`. */
  readonly logRetention: {
    readonly runningBytes: number;
    readonly stoppedBytes: number;
    readonly stoppedLines: number;
  };
  /** Newer ARM texts end with a link. */
  readonly notFoundSuffix: boolean;
  /** Long signed operation URLs for api-versions from 2024 on. */
  readonly signedOperationUrls: boolean;
  /** Whether a group with a DNS label has its public ip already in the 201. */
  readonly labelledIpAtOnce: boolean;
  /** Operations stay readable this long. */
  readonly operationRetentionMs: number;
  /** ARM's limit of a request body; beyond it 413. */
  readonly maxBodyBytes: number;
  /** Life of the tokens of the identity endpoint. */
  readonly tokenLifetimeSeconds: number;
  /** Entries of the journal ring. */
  readonly journalSize: number;
  /** Audiences accepted besides the ARM endpoint itself. */
  readonly extraAudiences: readonly string[];
  /** Tag whose value names the pod in `/_emulator/runs`; without it the first tag whose name ends in `uid`. */
  readonly uidTag: string | undefined;
  /** Accounts of Azure Files that exist, with a key and shares; undefined: all of them do, and any key is right. */
  readonly storageAccounts:
    | readonly { readonly name: string; readonly key: string; readonly shares: readonly string[] }[]
    | undefined;
  /** Subnets that exist; a group in another one is taken as delegated with the range of the first. */
  readonly subnets: readonly { readonly id: string; readonly cidr: string; readonly delegated: boolean }[];
  /** User-assigned identities that exist; undefined: all of them do. */
  readonly identities: readonly string[] | undefined;
  /**
   * What an identity may pull with, by its resource id: this login takes the place of an image registry credential by
   * identity whose server it is. Without one the registry is asked without a login.
   */
  readonly pullIdentities: Readonly<Record<string, RegistryCredential>>;
  /** Status of `DnsNameLabelNotAvailable`: the code is known, the status is not. */
  readonly dnsLabelStatus: 400 | 409;
  /** Regions that have the sku Confidential; undefined: all of them. */
  readonly confidentialLocations: readonly string[] | undefined;
  /** What becomes of a Spot group that is evicted (not documented): its containers end badly for good, or it is stopped. */
  readonly evictedState: 'Failed' | 'Stopped';
}

interface BucketSize {
  readonly capacity: number;
  readonly refillPerSecond: number;
}

/** Milliseconds, as seen in recordings with t = 0 at the PUT: Creating +2 s, Pulling +4, Pulled +7, Started +15, Succeeded +16. */
interface ProvisioningTimings {
  readonly pendingMs: number;
  readonly pullingMs: number;
  /** Shortest duration of a pull; a slower runtime takes its own time. */
  readonly pulledMs: number;
  readonly startedMs: number;
  readonly succeededMs: number;
  /** From Pulled to Started on POST restart (≈ 9 s in all). */
  readonly restartedMs: number;
  /** The `Deleting` phase of `deleteMode: async`. */
  readonly deletingMs: number;
}

export const defaultOptions: EmulatorOptions = {
  timingsScale: 1,
  jitter: 0.1,
  jitterSeed: 1,
  timings: {
    pendingMs: 2000,
    pullingMs: 2000,
    pulledMs: 3000,
    startedMs: 8000,
    succeededMs: 1000,
    restartedMs: 1000,
    deletingMs: 5000,
  },
  provisioningTimeoutSeconds: 1800,
  failedGroupsKeepTrying: false,
  pageSize: 100,
  quota: { containerGroups: 100, standardCores: 100 },
  quotaStatus: 400,
  resourceRequests: { per5Minutes: 100, perHour: 300 },
  armBuckets: {
    reads: { capacity: 250, refillPerSecond: 25 },
    writes: { capacity: 200, refillPerSecond: 10 },
    deletes: { capacity: 200, refillPerSecond: 10 },
  },
  monitorLagSeconds: 120,
  latencyMs: 0,
  deleteMode: 'sync',
  deleteWhileTransitioning: 'accept',
  imageFaultMode: 'sync',
  imageCheckMs: 3000,
  updateStatus: 201,
  terminatedGroupsAcceptAnyUpdate: true,
  restartBackoff: { baseMs: 10_000, maxMs: 300_000, resetMs: 600_000 },
  pullBackoff: { baseMs: 10_000, maxMs: 300_000 },
  stopGraceSeconds: 10,
  stopMode: 'wait',
  logsAfterStop: false,
  startFaultExitCode: 128,
  logRetention: { runningBytes: 4 * 1024 * 1024, stoppedBytes: 16 * 1024, stoppedLines: 1000 },
  notFoundSuffix: true,
  signedOperationUrls: false,
  labelledIpAtOnce: true,
  operationRetentionMs: 24 * 3600 * 1000,
  maxBodyBytes: 4 * 1024 * 1024,
  tokenLifetimeSeconds: 24 * 3600,
  journalSize: 20_000,
  extraAudiences: [],
  uidTag: undefined,
  storageAccounts: undefined,
  subnets: [],
  identities: undefined,
  pullIdentities: {},
  dnsLabelStatus: 400,
  confidentialLocations: undefined,
  evictedState: 'Failed',
  ...defaultNetworkKnobs,
  ...defaultExecKnobs,
};

/** Draws durations: `base × scale × (1 ± jitter)`, reproducible by seed. */
export function createTimer(options: EmulatorOptions): (baseMs: number) => number {
  const next = random(options.jitterSeed);
  return (baseMs) => Math.round(baseMs * options.timingsScale * (1 + options.jitter * (2 * next() - 1)));
}
