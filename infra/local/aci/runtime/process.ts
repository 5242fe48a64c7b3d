import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onPath } from './engine/backend.ts';
import { runCommand } from './engine/command.ts';
import { signal } from './engine/processes.ts';
import { normalizeImage } from './engine/reference.ts';
import { createVolumeFolders } from './engine/volumes.ts';
import type { VolumeFolders } from './engine/volumes.ts';
import { executeBeside, openTerminalBeside } from './process/beside.ts';
import { bubblewrapArguments } from './process/bubblewrap.ts';
import type { BoundMount } from './process/bubblewrap.ts';
import { launch, launchAttempts } from './process/launch.ts';
import type { Launch } from './process/launch.ts';
import { runningProcess } from './process/running.ts';
import type { ContainerRuntime, ContainerSpec, RunningContainer, SandboxSpec, StartFault } from './runtime.ts';

export interface ProcessRuntimeOptions {
  /** Holds volumes and home folders. What a killed predecessor with the same folder left running is ended. */
  readonly stateDir: string;
  /** Whether to use bubblewrap; default: where it is installed and works. */
  readonly bubblewrap?: boolean;
}

const tokenMount = '/var/run/secrets/kubernetes.io/serviceaccount';
const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Runs commands as plain child processes, for machines without a container engine. There are no images: `pullImage`
 * always succeeds with a digest of the name, and the command runs from this machine's own programs, so a container
 * without a command is a `StartFault`. There are no addresses and no limits. With Debian's bubblewrap, volumes are at
 * their mount paths and each container sees its own processes only; without it, mounts are a `StartFault`, save
 * that of the ServiceAccount token, which is left out with a line in the log. `execute` runs beside the container, with the same files.
 */
export async function createProcessRuntime(options: ProcessRuntimeOptions): Promise<ContainerRuntime> {
  const stateDir = resolve(options.stateDir);
  const homes = join(stateDir, 'homes');
  const volumes = createVolumeFolders(stateDir);
  const wrap = options.bubblewrap ?? (await bubblewrapWorks());
  const sandboxes = new Map<string, { spec: SandboxSpec; running: Map<string, RunningContainer> }>();
  const clean = async () => {
    await endProcessesAtHome(`${homes}/`);
    await rm(homes, { recursive: true, force: true });
    await volumes.removeAll();
  };
  await mkdir(stateDir, { recursive: true });
  await clean();

  const deleteSandbox = async (sandboxId: string) => {
    const containers = [...(sandboxes.get(sandboxId)?.running.values() ?? [])];
    sandboxes.delete(sandboxId);
    await Promise.all(containers.map((container) => container.stop(0)));
    await endProcessesAtHome(`${join(homes, sandboxId)}/`);
    await rm(join(homes, sandboxId), { recursive: true, force: true });
    await volumes.remove(sandboxId);
  };
  return {
    kind: 'process',
    pullImage: async (image) => {
      const digest = createHash('sha256').update(normalizeImage(image)).digest('hex');
      return { kind: 'pulled', digest: `sha256:${digest}` };
    },
    async createSandbox(spec) {
      await volumes.create(spec.id, spec.volumes);
      sandboxes.set(spec.id, { spec, running: new Map() });
      return { id: spec.id };
    },
    async startContainer(sandboxId, spec) {
      const sandbox = sandboxes.get(sandboxId);
      if (sandbox === undefined) return startFault(`sandbox ${sandboxId} does not exist`);
      await sandbox.running.get(spec.name)?.stop(0);
      const home = join(homes, sandboxId, spec.name);
      await mkdir(home, { recursive: true });
      const plan = planLaunch({ spec, volumes, home, sandbox: sandbox.spec, wrap });
      if ('kind' in plan) return plan;
      const started = await start(plan);
      if (started.kind === 'running') sandbox.running.set(spec.name, started);
      return started;
    },
    deleteSandbox,
    async close() {
      await Promise.all([...sandboxes.keys()].map(deleteSandbox));
      await clean();
    },
  };
}

function startFault(message: string): StartFault {
  return { kind: 'start-fault', message };
}

interface PlanOptions {
  readonly spec: ContainerSpec;
  readonly sandbox: SandboxSpec;
  readonly volumes: VolumeFolders;
  readonly home: string;
  readonly wrap: boolean;
}

function planLaunch({ spec, sandbox, volumes, home, wrap }: PlanOptions): Launch | StartFault {
  const [program, ...args] = spec.command ?? [];
  if (program === undefined)
    return startFault(
      `container ${spec.name} has no command, and without a container engine there is no image ${spec.image} to take one from`,
    );
  const environment = { PATH: searchPath, HOSTNAME: sandbox.hostname, ...spec.environment, HOME: home };
  const mounts = spec.mounts.map((mount): BoundMount => ({ ...mount, source: volumes.path(sandbox.id, mount.volume) }));
  const inVolume = mounts.some(({ mountPath }) => program.startsWith(`${mountPath}/`));
  if (!inVolume && !isProgram(program, environment.PATH))
    return startFault(`exec: "${program}": not found on this machine`);
  const bare: Launch = { command: [program, ...args], environment, home };
  if (wrap) return { ...bare, layOut: () => bubblewrapArguments({ hostname: sandbox.hostname, home, mounts }) };
  const other = mounts.find(({ mountPath }) => mountPath !== tokenMount);
  if (other !== undefined)
    return startFault(
      `the mount at ${other.mountPath} needs a container engine or bubblewrap (Debian: apt-get install bubblewrap)`,
    );
  if (mounts.length === 0) return bare;
  return { ...bare, note: `the mount at ${tokenMount} was left out: it needs a container engine or bubblewrap` };
}

function isProgram(program: string, path: string): boolean {
  if (program.includes('/')) return existsSync(program);
  return path.split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** Bubblewrap ended before the command began. */
interface LayoutFault {
  readonly kind: 'layout-fault';
  /** Its own sentence. */
  readonly message: string;
}

async function start(plan: Launch): Promise<RunningContainer | StartFault> {
  for (let attempt = 1; ; attempt += 1) {
    const started = await tryStart(plan);
    if (started.kind !== 'layout-fault') return started;
    if (attempt === launchAttempts) return startFault(started.message);
  }
}

async function tryStart(plan: Launch): Promise<RunningContainer | StartFault | LayoutFault> {
  const { child, innerPid, began } = launch(plan);
  try {
    await once(child, 'spawn');
  } catch (error) {
    return startFault(error instanceof Error ? error.message : String(error));
  }
  // Listeners for the streams and the end come first: a short process is over before its id is read.
  if (plan.note !== undefined) child.stdout?.unshift(`${plan.note}\n`);
  let target = -(child.pid ?? 0);
  const running = runningProcess({
    child,
    target: () => target,
    execute: (command, timeoutMs) => executeBeside(plan, command, timeoutMs),
    openTerminal: (order) => openTerminalBeside(plan, order),
  });
  const pid = await innerPid();
  if (pid !== undefined) target = pid;
  if (await began) return running;
  await running.wait();
  return { kind: 'layout-fault', message: (await running.readLogs({ timestamps: false })).trim() };
}

/** Whether bubblewrap is installed, and allowed to do here what it is for. */
export async function bubblewrapWorks(): Promise<boolean> {
  if (process.platform !== 'linux' || onPath('bwrap') === undefined) return false;
  const probe = await runCommand('bwrap', ['--dev-bind', '/', '/', '--unshare-pid', '--unshare-uts', 'true']);
  return probe.exitCode === 0;
}

/** Processes of a sandbox are known by their HOME, which lies in the state folder. Where there is no /proc, none are found. */
async function endProcessesAtHome(prefix: string): Promise<void> {
  const left = () =>
    (existsSync('/proc/self/environ') ? readdirSync('/proc') : [])
      .filter((name) => /^\d+$/u.test(name))
      .map(Number)
      .filter((pid) => pid !== process.pid && environmentOf(pid).some((entry) => entry.startsWith(`HOME=${prefix}`)));
  for (const pid of left()) signal(pid, 'SIGKILL');
  for (let attempt = 0; left().length > 0 && attempt < 100; attempt += 1) await sleep(20);
}

function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
