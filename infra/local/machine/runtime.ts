/** The machine's containerd: started, given images, and ended with all that runs in it. */
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand } from '../aci/runtime/engine/command.ts';
import { outlive, processesNaming, signal } from '../aci/runtime/engine/processes.ts';
import type { MachineFiles } from './place.ts';

const ctr = ({ socket }: MachineFiles, ...args: readonly string[]) =>
  runCommand('ctr', ['--address', socket, '--namespace', 'k8s.io', ...args], { timeoutMs: 120_000 });

const readyMs = 20_000;

/** Resolves when containerd answers. */
export async function waitForRuntime(files: MachineFiles): Promise<void> {
  for (const until = Date.now() + readyMs; ; await sleep(100)) {
    const { exitCode, stderr } = await ctr(files, 'version');
    if (exitCode === 0) return;
    if (Date.now() > until) throw new Error(`containerd does not answer: ${stderr.trim()}`);
  }
}

export async function importImages(files: MachineFiles, archive: string): Promise<void> {
  const { exitCode, stderr } = await ctr(files, 'images', 'import', archive);
  if (exitCode !== 0) throw new Error(`ctr images import: ${stderr.trim()}`);
}

/** Kills every container, and takes away the network namespaces of pods, which containerd keeps where nobody else knows them. */
export async function endContainers(files: MachineFiles): Promise<void> {
  const { stdout } = await ctr(files, 'containers', 'list', '--quiet');
  const ids = stdout.split('\n').filter((id) => id !== '');
  if (ids.length === 0) return;
  const infos = await Promise.all(ids.map((id) => ctr(files, 'containers', 'info', id)));
  const namespaces = infos.flatMap((info) => info.stdout.match(/(?<=\/netns\/)cni-[0-9a-f-]+/g) ?? []);
  await ctr(files, 'tasks', 'delete', '--force', ...ids);
  for (const name of new Set(namespaces)) await runCommand('ip', ['netns', 'delete', name]);
}

const endMs = 10_000;

/** What a killed machine or an ended one has left: processes, mounts and folders. Safe to repeat. */
export async function clearRuntime(files: MachineFiles): Promise<void> {
  // A container outlives the shim that watches it.
  const programs = processesNaming(files.runDir).map(({ pid }) => pid);
  for (const pid of [...childrenOf(programs), ...programs]) signal(pid, 'SIGKILL');
  await outlive(files.runDir, endMs);
  const folders = [files.runDir, files.root, files.kubelet];
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => folders.some((folder) => point === folder || point.startsWith(`${folder}/`)));
  for (const point of mounts.toReversed()) await runCommand('umount', ['--lazy', point]);
  for (const path of folders) rmSync(path, { recursive: true, force: true });
}

function childrenOf(parents: readonly number[]): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parents.includes(parentOf(pid)));
}

/** The number after the name, which is in brackets and may hold any. */
function parentOf(pid: number): number {
  try {
    const [, parent = '0'] = /\) \S (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return Number(parent);
  } catch {
    return 0;
  }
}
