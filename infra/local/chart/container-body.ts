import { oneUnit, parseQuantity } from '../../../shared/core/quantity/quantity.ts';
import type { Pod } from './pod.ts';

/** Every container of the relay's pods carries the label; its value is the pod's UID. */
export const podLabel = 'serverless-kubelet.relay-pod';

export interface BodyOptions {
  readonly network: string;
  /** Where a volume of the pod lies on this machine. */
  folderOf(volume: string): string;
  /** Its output goes there, as lines of a k8s-file log. */
  readonly logFile: string;
}

/**
 * The body of the Engine API that creates the pod's container: exactly its image, command, arguments, environment, mounts
 * and security context. The seccomp profile `RuntimeDefault` is the engine's own, which it applies unless given.
 */
export function containerBody(pod: Pod, options: BodyOptions): object {
  const [container] = pod.spec.containers;
  const { runAsUser, runAsGroup, fsGroup } = pod.spec.securityContext;
  const { allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities } = container.securityContext;
  const memory = container.resources.limits?.['memory'];
  const bytes = memory === undefined ? undefined : parseQuantity(memory);
  return {
    Image: container.image,
    Hostname: pod.metadata.name,
    Entrypoint: [...container.command, ...container.args],
    Cmd: [],
    Env: container.env.map(({ name, value }) => `${name}=${value}`),
    User: `${runAsUser}:${runAsGroup}`,
    Labels: { [podLabel]: pod.metadata.uid },
    HostConfig: {
      NetworkMode: options.network,
      GroupAdd: [String(fsGroup)],
      ReadonlyRootfs: readOnlyRootFilesystem,
      CapDrop: capabilities.drop,
      SecurityOpt: allowPrivilegeEscalation ? [] : ['no-new-privileges'],
      ExtraHosts: pod.spec.hostAliases.flatMap(({ ip, hostnames }) => hostnames.map((name) => `${name}:${ip}`)),
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'k8s-file', Config: { path: options.logFile } },
      Mounts: container.volumeMounts.map((mount) => ({
        Type: 'bind',
        Source: options.folderOf(mount.name),
        Target: mount.mountPath,
        ReadOnly: mount.readOnly,
      })),
      ...(bytes === undefined ? {} : { Memory: Number(bytes / oneUnit) }),
    },
  };
}
