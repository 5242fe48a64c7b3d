/**
 * What the ACI emulator asks of whatever really runs containers. Three implementations: `engine` (the Docker Engine
 * API of Podman or Docker), `process` (plain child processes, no images) and `scripted` (behaviour as data on a
 * virtual clock). The emulator owns all policy (restarts, back-off, init order, states); a runtime only executes.
 *
 * One *sandbox* per container group: its containers share address, localhost, hostname and volumes. All methods are
 * safe to repeat. Faults of an image are values (`ImageFault`), everything else that fails is an exception.
 */
export interface ContainerRuntime {
  readonly kind: 'engine' | 'process' | 'scripted';
  /** The network of its containers, where they have one that this machine is in: servers for them can listen on `gateway`. */
  readonly bridge?: { readonly gateway: string; readonly subnet: string };
  /** Makes the image available. `credentials` as in `imageRegistryCredentials`. */
  pullImage(image: string, credentials: readonly RegistryCredential[]): Promise<PulledImage | ImageFault>;
  /** Creates the group's network namespace and volumes. The address is absent where the runtime has no network of its own. */
  createSandbox(spec: SandboxSpec): Promise<Sandbox>;
  /** Starts one container in a sandbox; resolves once its process runs. A start that fails is `StartFault` (the engine's own sentence). */
  startContainer(sandboxId: string, spec: ContainerSpec): Promise<RunningContainer | StartFault>;
  /** Kills what still runs in the sandbox and removes containers, volumes and network. Succeeds when absent. */
  deleteSandbox(sandboxId: string): Promise<void>;
  /** Deletes every sandbox this runtime ever made under its state folder and frees its own resources. */
  close(): Promise<void>;
}

export interface RegistryCredential {
  readonly server: string;
  readonly username: string;
  readonly password: string;
}

export interface PulledImage {
  readonly kind: 'pulled';
  /** `sha256:<64 hex>`; stable for one image. */
  readonly digest: string;
}

export interface ImageFault {
  readonly kind: 'image-fault';
  readonly reason: 'not-found' | 'denied' | 'unavailable';
  readonly message: string;
}

export interface StartFault {
  readonly kind: 'start-fault';
  readonly message: string;
}

export interface SandboxSpec {
  /** Unique per container group incarnation; `[a-z0-9-]{1,80}`. */
  readonly id: string;
  readonly hostname: string;
  /** What /etc/resolv.conf says; the runtime's own unless given. A runtime without a network of its own ignores it. */
  readonly dns?: {
    readonly nameServers: readonly string[];
    readonly searchDomains: readonly string[];
    readonly options: readonly string[];
  };
  readonly volumes: readonly SandboxVolume[];
}

/**
 * `files` volumes (ACI `secret` volumes) hold fixed contents, 0644, root-owned; `empty` is shared scratch space (0777); a
 * `share` (0777) is that of all sandboxes that name it, and outlives them.
 */
export type SandboxVolume =
  | { readonly name: string; readonly kind: 'empty' }
  /** `account/share`. */
  | { readonly name: string; readonly kind: 'share'; readonly share: string }
  | { readonly name: string; readonly kind: 'files'; readonly files: Readonly<Record<string, Uint8Array>> };

export interface Sandbox {
  readonly id: string;
  readonly ip?: string;
  /** A process of this machine that is in the sandbox's network namespace as long as the sandbox lives, where there is one. */
  readonly pid?: number;
}

export interface ContainerSpec {
  /** The ACI container name; unique in the sandbox. A restart starts the same name again. */
  readonly name: string;
  readonly image: string;
  /** Replaces entrypoint and command of the image when given (ACI `command`). */
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly { readonly volume: string; readonly mountPath: string; readonly readOnly: boolean }[];
  /** Cores; enforced where the runtime can. */
  readonly cpuLimit?: number;
  /** Bytes; enforced where the runtime can (an excess ends the container with 137 and `oomKilled`). */
  readonly memoryLimitBytes?: number;
}

export interface ContainerEnd {
  readonly exitCode: number;
  /** Milliseconds since the epoch. */
  readonly finishedAt: number;
  readonly oomKilled: boolean;
}

export interface RunningContainer {
  readonly kind: 'running';
  /** 64 hex digits. */
  readonly id: string;
  readonly startedAt: number;
  /** Resolves once, when the process has ended; repeated calls give the same answer. */
  wait(): Promise<ContainerEnd>;
  /** SIGTERM, then SIGKILL after `graceSeconds`. Resolves when it has ended; nothing happens when it already has. */
  stop(graceSeconds: number): Promise<void>;
  /** Both streams merged in order of arrival, newest part kept. */
  readLogs(options: LogOptions): Promise<string>;
  /** Runs a command in the container and gives its exit code (probes). */
  execute(
    command: readonly string[],
    timeoutMs: number,
  ): Promise<{ readonly exitCode: number; readonly output: string }>;
  /** What it has used up to now; undefined: it has ended, or nobody knows. */
  usage(): Promise<ContainerUsage | undefined>;
  /**
   * Runs a command in the container at a terminal of its own, which never changes its size. What keeps the command from
   * starting (it is not there, the container has ended) is what the terminal shows before it ends; nothing is thrown.
   */
  openTerminal(command: readonly string[], size: TerminalSize): Promise<Terminal>;
  /**
   * What the container writes from now on, both streams merged as they come. Ends with the container, or when `signal`
   * aborts; never fails.
   */
  followOutput(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

export interface ContainerUsage {
  /** Since its start, by all its processes. */
  readonly cpuNanoSeconds: number;
  readonly usageBytes: number;
  readonly workingSetBytes: number;
  readonly rssBytes: number;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** A program at a terminal. It lives on when nobody looks at it any more, and ends with its container at the latest. */
export interface Terminal {
  /** The bytes that it shows, echo included, until the program has ended. For one reader, who reads on: else the program waits. */
  readonly output: AsyncIterable<Uint8Array>;
  /** Types; resolves when it was taken. After the end nothing happens. */
  type(bytes: Uint8Array): Promise<void>;
}

export interface LogOptions {
  /** Number of lines from the end; absent means all. */
  readonly tail?: number;
  /** Prefix each line with its RFC3339Nano UTC instant and a blank. */
  readonly timestamps: boolean;
}
