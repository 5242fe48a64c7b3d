import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import pLimit from 'p-limit';
import { z } from 'zod';
import { defined } from '../../../../shared/core/defined.ts';
import type { MappedEndpoints } from '../../../../shared/core/image/registry-endpoint.ts';
import { dockerBackend, findEngine, podmanBackend } from './engine/backend.ts';
import type { Backend } from './engine/backend.ts';
import { EngineError } from './engine/client.ts';
import { createExitWatcher, inspectContainer } from './engine/exits.ts';
import { defaultInside, ownHosts } from './engine/inside.ts';
import type { InsideKnobs } from './engine/inside.ts';
import { createNetwork, keepHardwareAddress, removeNetworks } from './engine/network.ts';
import { ensurePause } from './engine/pause.ts';
import { removeContainer, removeContainers } from './engine/removal.ts';
import { createPuller } from './engine/puller.ts';
import { stateKey } from './engine/podman-layout.ts';
import { containerBody, containerName, parallelCalls, pauseBody } from './engine/requests.ts';
import type { EngineAbilities, EngineKind } from './engine/requests.ts';
import { runningContainer } from './engine/container.ts';
import { normalizeImage } from './engine/reference.ts';
import { createVolumeFolders } from './engine/volumes.ts';
import type { ContainerRuntime, ContainerSpec, RunningContainer, Sandbox, SandboxSpec, StartFault } from './runtime.ts';

export { findEngine } from './engine/backend.ts';

/** A runtime whose containers are on a bridge of this machine. */
export interface EngineRuntime extends ContainerRuntime {
  readonly kind: 'engine';
  readonly engine: EngineKind;
  /** It exists from now until `close`. */
  readonly bridge: { readonly gateway: string; readonly subnet: string };
}

export interface EngineRuntimeOptions {
  /** Holds volumes and, for Podman, containers. One runtime at a time; another one's leftovers are removed. */
  readonly stateDir: string;
  readonly log: (line: string) => void;
  readonly engine?: EngineKind | 'auto';
  /** Registries that Podman asks elsewhere than at their own address; Docker's daemon has settings of its own. */
  readonly endpoints?: MappedEndpoints;
  /** Knobs that differ from `defaultInside`. */
  readonly inside?: Partial<InsideKnobs>;
}

/** No sandbox is called so: their names have no underscore. */
const anchorId = 'anchor_';
const noEngine =
  'no container engine: install Podman and run as root (Debian: apt-get install podman runc netavark aardvark-dns catatonit iptables), or start Docker';

/**
 * Runs containers with Podman (a service of our own, as root) or with the Docker daemon of this machine. Throws when
 * there is no engine or it does not start; the message says what is needed. What a killed predecessor with the same
 * state folder left behind is removed first.
 */
export async function createEngineRuntime(options: EngineRuntimeOptions): Promise<EngineRuntime> {
  const stateDir = resolve(options.stateDir);
  await mkdir(stateDir, { recursive: true });
  const backend = await openBackend(options, stateDir);
  try {
    return await assemble({ ...options, stateDir }, backend);
  } catch (error) {
    await backend.close();
    throw error;
  }
}

async function openBackend(
  { engine: wanted = 'auto', endpoints }: EngineRuntimeOptions,
  stateDir: string,
): Promise<Backend> {
  const kind = wanted === 'auto' ? await findEngine() : wanted;
  if (kind === 'podman') return podmanBackend(stateDir, endpoints);
  if (kind === 'docker') return dockerBackend();
  throw new Error(noEngine);
}

async function assemble(options: EngineRuntimeOptions, backend: Backend): Promise<EngineRuntime> {
  const { client, kind: engine } = backend;
  const key = stateKey(options.stateDir);
  const inside = { ...defaultInside, ...options.inside };
  const volumes = createVolumeFolders(options.stateDir, inside.emptyDirForAll ? 0o777 : 0o755);
  const turn = pLimit(parallelCalls);
  const scope = { engine, client, stateKey: key };
  await removeContainers(client, key);
  await removeNetworks(scope);
  await volumes.removeAll();
  const [pause, abilities, network] = await Promise.all([
    ensurePause(backend.images),
    readAbilities(backend),
    createNetwork(scope),
  ]);
  const exits = createExitWatcher(client, options.log);

  const pauses = new Map<string, string>();
  const startPause = async (
    sandboxId: string,
    hostname: string,
    dns?: SandboxSpec['dns'],
  ): Promise<Pick<Sandbox, 'ip' | 'pid'>> => {
    const name = containerName(key, sandboxId);
    await removeContainer(client, name);
    const body = pauseBody({
      ...pause,
      stateKey: key,
      sandboxId,
      hostname,
      network: network.name,
      ...defined({ dns }),
    });
    await client.send({ method: 'POST', path: `/containers/create?name=${name}`, body });
    await client.send({ method: 'POST', path: `/containers/${name}/start` });
    const inspected = await inspectContainer(client, name);
    pauses.set(sandboxId, inspected.Id);
    const address = inspected.NetworkSettings?.Networks?.[network.name]?.IPAddress;
    const { Pid: pid } = inspected.State;
    return { ...(pid === 0 ? {} : { pid }), ...(address === undefined || address === '' ? {} : { ip: address }) };
  };

  const startContainer = async (sandboxId: string, spec: ContainerSpec): Promise<RunningContainer | StartFault> => {
    const name = containerName(key, sandboxId, spec.name);
    const removed = await removeContainer(client, name);
    if (removed !== undefined) exits.forget(removed);
    const pauseId = pauses.get(sandboxId);
    if (pauseId === undefined) return { kind: 'start-fault', message: `sandbox ${sandboxId} does not exist` };
    const normalized = { ...spec, image: normalizeImage(spec.image) };
    const body = containerBody(normalized, {
      engine,
      abilities,
      stateKey: key,
      sandboxId,
      pauseId,
      network: network.name,
      inside,
      ...(inside.hostsShared ? {} : { hosts: await ownHosts(volumes.path(sandboxId, `hosts.${spec.name}`)) }),
      volumePath: (volume) => volumes.path(sandboxId, volume),
    });
    try {
      await client.send({ method: 'POST', path: `/containers/create?name=${name}`, body });
      await client.send({ method: 'POST', path: `/containers/${name}/start` });
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      await removeContainer(client, name);
      return { kind: 'start-fault', message: error.message };
    }
    return runningContainer({ engine, client, exits, inspected: await inspectContainer(client, name) });
  };

  const createSandbox = async (spec: SandboxSpec): Promise<Sandbox> => {
    await volumes.create(spec.id, spec.volumes);
    return { id: spec.id, ...(await startPause(spec.id, spec.hostname, spec.dns)) };
  };

  const deleteSandbox = async (sandboxId: string): Promise<void> => {
    pauses.delete(sandboxId);
    for (const id of await removeContainers(client, key, sandboxId)) exits.forget(id);
    await volumes.remove(sandboxId);
  };

  // The bridge is there as long as a container is on it.
  await startPause(anchorId, 'anchor');
  await keepHardwareAddress(network);
  let closing: Promise<void> | undefined;
  const close = async () => {
    await exits.close();
    await removeContainers(client, key);
    await removeNetworks(scope);
    await volumes.removeAll();
    await backend.close();
  };
  return {
    kind: 'engine',
    engine,
    bridge: { gateway: network.gateway, subnet: network.subnet },
    pullImage: createPuller(backend.images),
    createSandbox: (spec) => turn(() => createSandbox(spec)),
    startContainer: (sandboxId, spec) => turn(() => startContainer(sandboxId, spec)),
    deleteSandbox: (sandboxId) => turn(() => deleteSandbox(sandboxId)),
    close: () => (closing ??= close()),
  };
}

const info = z.object({
  CpuCfsQuota: z.boolean().default(false),
  MemoryLimit: z.boolean().default(false),
  SwapLimit: z.boolean().default(false),
});

async function readAbilities({ client }: Backend): Promise<EngineAbilities> {
  const { CpuCfsQuota, MemoryLimit, SwapLimit } = await client.json(info, { method: 'GET', path: '/info' });
  return { cpuQuota: CpuCfsQuota, memoryLimit: MemoryLimit, swapLimit: SwapLimit };
}
