import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, statfs, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where one Podman storage lives and how Podman must be called for it. */
export interface PodmanLayout {
  /** 12 hexadecimal digits, from the folder that the layout belongs to. */
  readonly key: string;
  /** Storage that lasts: layers, containers, the database. */
  readonly storage: string;
  /** Short, because a unix socket's path holds 108 characters at most; emptied by a restart of the machine. */
  readonly runDir: string;
  readonly globalArgs: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** The folder of images that all state folders of this user share. */
export function imageFolder(): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(cache, 'serverless-kubelet', 'containers');
}

export function stateKey(folder: string): string {
  return createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 12);
}

/** Prepares the folders and the configuration for a storage under `folder` that sees the images of `imageStore` too. */
export async function preparePodman(folder: string, imageStore?: string): Promise<PodmanLayout> {
  const key = stateKey(folder);
  const runDir = join(existsSync('/run') ? '/run' : tmpdir(), 'serverless-kubelet', key);
  const storage = join(folder, 'storage');
  await mkdir(runDir, { recursive: true, mode: 0o700 });
  await mkdir(storage, { recursive: true, mode: 0o700 });
  const configuration = join(runDir, 'containers.conf');
  await writeFile(configuration, containersConf(hostFacts(), runDir));
  const driver = await storageDriver(folder);
  return {
    key,
    storage,
    runDir,
    globalArgs: [
      `--root=${storage}`,
      `--runroot=${join(runDir, 'run')}`,
      `--tmpdir=${join(runDir, 'tmp')}`,
      `--storage-driver=${driver}`,
      // Otherwise the storage folder is mounted on itself, and that mount outlives Podman.
      ...(driver === 'overlay' ? ['--storage-opt=overlay.skip_mount_home=true'] : []),
      ...(imageStore === undefined ? [] : [`--storage-opt=${driver}.imagestore=${imageStore}`]),
    ],
    // Podman dates log lines and events in its own time zone.
    environment: { ...process.env, CONTAINERS_CONF: configuration, TZ: 'UTC' },
  };
}

export interface HostFacts {
  /** cgroups v2 alone; v1 and hybrid machines need runc. */
  readonly unified: boolean;
  readonly systemd: boolean;
  readonly runc: boolean;
  /** May raise its own limits (CAP_SYS_RESOURCE). */
  readonly mayRaiseLimits: boolean;
  readonly openFiles: number;
  readonly processes: number;
}

/** The containers.conf of this machine. Only what differs from Podman's defaults for a reason is in it. */
export function containersConf(facts: HostFacts, runDir: string): string {
  const limits = `default_ulimits = ["nofile=${facts.openFiles}:${facts.openFiles}", "nproc=${facts.processes}:${facts.processes}"]`;
  return [
    '[containers]',
    // Pods get neither this machine's proxy settings nor its names.
    'http_proxy = false',
    'base_hosts_file = "none"',
    'env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]',
    'pids_limit = 0',
    // Without the capability every start fails: "setrlimit: Operation not permitted".
    ...(facts.mayRaiseLimits ? [] : [limits]),
    '[engine]',
    ...(facts.unified || !facts.runc ? [] : ['runtime = "runc"']),
    ...(facts.unified && facts.systemd ? [] : ['cgroup_manager = "cgroupfs"']),
    // How long the end of a command in a container can be asked for; a monitor process lives as long.
    'exit_command_delay = 10',
    'events_logger = "file"',
    // Locks in shared memory are one set for the whole machine; these are the storage's own.
    'lock_type = "file"',
    '[network]',
    'network_backend = "netavark"',
    `network_config_dir = "${join(runDir, 'networks')}"`,
    '',
  ].join('\n');
}

const capSysResource = 24n;
/** Podman lowers its own limit of processes to this where it may not raise it. */
const podmanProcesses = 32_768;

function hostFacts(): HostFacts {
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/mu.exec(read('/proc/self/status'))?.[1] ?? '0';
  const limits = read('/proc/self/limits');
  const pidMax = Number(read('/proc/sys/kernel/pid_max')) || podmanProcesses;
  return {
    unified: existsSync('/sys/fs/cgroup/cgroup.controllers'),
    systemd: existsSync('/run/systemd/system'),
    runc: ['/usr/sbin/runc', '/usr/bin/runc', '/usr/local/bin/runc', '/usr/local/sbin/runc'].some((path) =>
      existsSync(path),
    ),
    mayRaiseLimits: ((BigInt(`0x${capabilities}`) >> capSysResource) & 1n) === 1n,
    openFiles: hardLimit(limits, 'Max open files', 65_536),
    processes: Math.min(hardLimit(limits, 'Max processes', podmanProcesses), podmanProcesses, pidMax),
  };
}

function hardLimit(limits: string, name: string, most: number): number {
  const hard = new RegExp(`^${name}\\s+\\S+\\s+(\\S+)`, 'mu').exec(limits)?.[1];
  const number = Number(hard);
  return Number.isFinite(number) && number > 0 ? Math.min(number, most) : most;
}

function read(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

const overlayMagic = 0x794c7630;

/** Overlay does not stack on overlay (a machine that is a container itself); plain copies work everywhere. */
async function storageDriver(folder: string): Promise<'overlay' | 'vfs'> {
  await mkdir(imageFolder(), { recursive: true, mode: 0o700 });
  const types = await Promise.all([folder, imageFolder()].map(async (path) => (await statfs(path)).type));
  return types.includes(overlayMagic) ? 'vfs' : 'overlay';
}
