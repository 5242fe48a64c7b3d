import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MappedEndpoints } from '../../../../../shared/core/image/registry-endpoint.ts';
import { createEngineClient } from './client.ts';
import type { EngineClient } from './client.ts';
import { dockerImageStore, podmanImageStore } from './image-store.ts';
import type { ImageStore } from './image-store.ts';
import { preparePodman } from './podman-layout.ts';
import { outlive, processesNaming, signal } from './processes.ts';
import type { EngineKind } from './requests.ts';

/** An engine that answers, with its images. */
export interface Backend {
  readonly kind: EngineKind;
  readonly client: EngineClient;
  readonly images: ImageStore;
  /** Ends what was started for it. Containers and networks are gone by then. */
  close(): Promise<void>;
}

/** The engine of this machine: Podman (as root, Linux), otherwise a Docker daemon that answers, otherwise none. */
export async function findEngine(): Promise<EngineKind | undefined> {
  if (process.platform === 'linux' && process.getuid?.() === 0 && onPath('podman')) return 'podman';
  const socket = dockerSocket();
  return socket !== undefined && (await answers(socket)) ? 'docker' : undefined;
}

export function onPath(program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

function dockerSocket(): string | undefined {
  const named = /^unix:\/\/(.+)$/u.exec(process.env['DOCKER_HOST'] ?? '')?.[1];
  return [named, '/var/run/docker.sock'].find((path) => path !== undefined && existsSync(path));
}

async function answers(socketPath: string): Promise<boolean> {
  const client = createEngineClient(socketPath);
  try {
    await client.send({ method: 'GET', path: '/_ping', signal: AbortSignal.timeout(2000) });
    return true;
  } catch {
    return false;
  } finally {
    client.close();
  }
}

/** The images of an engine without starting one for containers. */
export async function openImageStore(kind: EngineKind): Promise<ImageStore> {
  return kind === 'podman' ? await podmanImageStore() : dockerImageStore(createEngineClient(requireDocker()));
}

function requireDocker(): string {
  const socket = dockerSocket();
  if (socket === undefined)
    throw new Error('no Docker daemon: neither DOCKER_HOST=unix://… nor /var/run/docker.sock leads to one');
  return socket;
}

export function dockerBackend(): Backend {
  const client = createEngineClient(requireDocker());
  return { kind: 'docker', client, images: dockerImageStore(client), close: async () => client.close() };
}

const startMs = 20_000;

/**
 * Starts Podman's service with a storage of its own under `stateDir` and the user's image store beside it. A service
 * that a killed predecessor left behind is ended first.
 */
export async function podmanBackend(stateDir: string, endpoints?: MappedEndpoints): Promise<Backend> {
  if (process.getuid?.() !== 0)
    throw new Error(
      'Podman must run as root here: the addresses of rootless containers cannot be reached from the machine',
    );
  const folder = join(stateDir, 'podman');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const images = await podmanImageStore(endpoints);
  const layout = await preparePodman(folder, images.storage);
  const socketPath = join(layout.runDir, 'podman.sock');
  await endOldService(layout.runDir, socketPath);
  const log = await open(join(folder, 'podman.log'), 'w');
  // Detached: a Ctrl-C in the terminal reaches all of its group at once, and the service must outlive the containers.
  const service = spawn('podman', [...layout.globalArgs, 'system', 'service', '--time', '0', `unix://${socketPath}`], {
    env: layout.environment,
    // The monitors of Podman 4 leave a file "oom" in the service's working folder.
    cwd: layout.runDir,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  service.unref();
  await log.close();
  const client = createEngineClient(socketPath);
  await ready({ service, client, logPath: join(folder, 'podman.log') });
  return {
    kind: 'podman',
    client,
    images,
    async close() {
      client.close();
      await endService(service);
      // Monitors of finished commands wait for somebody to ask.
      for (const { pid, command } of processesNaming(layout.runDir))
        if (command[0]?.endsWith('conmon')) signal(pid, 'SIGKILL');
      // Podman's own clean-up of the last containers may still be at work in the storage.
      await outlive(layout.runDir, 10_000);
      await rm(layout.runDir, { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function endOldService(runDir: string, socketPath: string): Promise<void> {
  const left = processesNaming(runDir).filter(({ command }) => command.includes(`unix://${socketPath}`));
  for (const { pid } of left) signal(pid, 'SIGKILL');
  await rm(socketPath, { force: true });
}

async function ready(options: { service: ChildProcess; client: EngineClient; logPath: string }): Promise<void> {
  const until = Date.now() + startMs;
  const failures: Error[] = [];
  options.service.on('error', (error) => failures.push(error));
  while (Date.now() < until && options.service.exitCode === null && failures.length === 0)
    try {
      await options.client.send({ method: 'GET', path: '/_ping' });
      return;
    } catch {
      await sleep(25);
    }
  const text = failures[0]?.message ?? (await readFile(options.logPath, 'utf8')).trim();
  throw new Error(`Podman's service did not start: ${text}`);
}

async function endService(service: ChildProcess): Promise<void> {
  if (service.exitCode !== null || service.signalCode !== null) return;
  const ended = new Promise((resolve) => {
    service.once('exit', resolve);
  });
  service.ref();
  service.kill('SIGTERM');
  const late = setTimeout(() => service.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(late);
}
