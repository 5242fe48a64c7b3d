import type { ContainerSpec, SandboxSpec } from '../runtime.ts';
import { insideHost } from './inside.ts';
import type { InsideKnobs } from './inside.ts';
import { defined } from '../../../../../shared/core/defined.ts';

/** Every container and network of a state folder carries its key under this label. */
export const stateLabel = 'serverless-kubelet.state';
export const sandboxLabel = 'serverless-kubelet.sandbox';
/** Marks the containers that hold a sandbox's namespaces; they are removed last. */
export const pauseLabel = 'serverless-kubelet.pause';

/** More calls at once are slower on two cores: the engine's own work takes turns behind its locks. */
export const parallelCalls = 4;

export type EngineKind = 'podman' | 'docker';

/** What the engine on this machine can enforce (`GET /info`). */
export interface EngineAbilities {
  readonly cpuQuota: boolean;
  readonly memoryLimit: boolean;
  readonly swapLimit: boolean;
}

export interface PauseOptions {
  readonly stateKey: string;
  readonly sandboxId: string;
  readonly hostname: string;
  readonly dns?: SandboxSpec['dns'];
  readonly network: string;
  readonly image: string;
  readonly command?: readonly string[];
}

/** The body that creates the container which holds a sandbox's namespaces. */
export function pauseBody(options: PauseOptions): object {
  return {
    Image: options.image,
    ...(options.command === undefined ? {} : { Entrypoint: options.command, Cmd: [] }),
    Hostname: options.hostname,
    Labels: { [stateLabel]: options.stateKey, [sandboxLabel]: options.sandboxId, [pauseLabel]: 'true' },
    StopTimeout: 0,
    HostConfig: {
      NetworkMode: options.network,
      IpcMode: 'shareable',
      LogConfig: { Type: 'none' },
      ...(options.dns === undefined
        ? {}
        : { Dns: options.dns.nameServers, DnsSearch: options.dns.searchDomains, DnsOptions: options.dns.options }),
    },
  };
}

export interface ContainerBodyOptions {
  readonly engine: EngineKind;
  readonly abilities: EngineAbilities;
  readonly stateKey: string;
  readonly sandboxId: string;
  /** The engine's id of the pause container. */
  readonly pauseId: string;
  readonly network: string;
  readonly inside: InsideKnobs;
  /** Beside those of the container's volumes; absent: shared with the group. */
  readonly hosts?: { readonly source: string; readonly target: string; readonly readOnly: boolean };
  /** The volume's folder on this machine. */
  volumePath(volume: string): string;
}

/**
 * The body that creates a group's container: in the namespaces of the pause container, never restarted by the engine.
 * A command is wholly in `Entrypoint`, which both engines take as "replace entrypoint and command" (an empty
 * `Entrypoint` beside `Cmd` keeps the image's entrypoint on Podman).
 */
export function containerBody(spec: ContainerSpec, options: ContainerBodyOptions): object {
  const pause = `container:${options.pauseId}`;
  return {
    Image: spec.image,
    ...(spec.command === undefined || spec.command.length === 0 ? {} : { Entrypoint: spec.command, Cmd: [] }),
    Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    Labels: { [stateLabel]: options.stateKey, [sandboxLabel]: options.sandboxId },
    StopTimeout: 0,
    HostConfig: {
      ...insideHost(options.inside, { mounts: mountsOf(spec, options), pause, network: options.network }),
      IpcMode: pause,
      // Docker gives the hostname along with the network and refuses a UTS mode of this kind.
      ...(options.engine === 'podman'
        ? { UTSMode: pause, LogConfig: { Type: 'k8s-file' } }
        : { LogConfig: { Type: 'json-file' } }),
      RestartPolicy: { Name: 'no' },
      ...limits(spec, options.abilities),
    },
  };
}

const mountsOf = ({ mounts }: ContainerSpec, options: ContainerBodyOptions) => [
  ...mounts.map(({ volume, mountPath, readOnly }) => ({
    source: options.volumePath(volume),
    target: mountPath,
    readOnly,
  })),
  ...(options.hosts === undefined ? [] : [options.hosts]),
];

function limits(spec: ContainerSpec, abilities: EngineAbilities): object {
  const memory =
    spec.memoryLimitBytes === undefined || !abilities.memoryLimit ? undefined : Math.floor(spec.memoryLimitBytes);
  return {
    ...defined({ Memory: memory }),
    // Equal figures mean "no swap beside it", so that an excess ends the container instead of slowing it down.
    ...(memory === undefined || !abilities.swapLimit ? {} : { MemorySwap: memory }),
    ...(spec.cpuLimit === undefined || !abilities.cpuQuota ? {} : { NanoCpus: Math.round(spec.cpuLimit * 1e9) }),
  };
}

/** Names are unique per machine. Without a container it is the name of the sandbox's pause container. */
export function containerName(stateKey: string, sandboxId: string, container?: string): string {
  return ['sk', stateKey, sandboxId, ...(container === undefined ? [] : [container])].join('.');
}
