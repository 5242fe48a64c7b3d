import type { AgentAccess } from '../agent/agent-facts.ts';
import { containerOrders } from '../agent/container-orders.ts';
import { keyText } from '../agent/wraps.ts';
import type { WrapMode } from '../agent/wraps.ts';
import { groupVariables } from '../agent/environment-split.ts';
import type { WrappedContainer } from '../agent/install.ts';
import { containerMounts } from '../agent/mounts.ts';
import { podHost } from '../agent/pod-host.ts';
import type { PodHost } from '../agent/pod-host.ts';
import { startUid } from '../agent/program-user.ts';
import { runCommand } from '../agent/places.ts';
import type { ContainerKey } from '../agent/tier.ts';
import type { GroupInitContainer } from '../group/group.ts';
import type { ImageConfig } from '../image/image-config.ts';
import { pinnedImage } from '../image/image-source.ts';
import { groupCommand } from './command.ts';
import { resolveEnvironment } from './environment.ts';
import type { Environment } from './environment.ts';
import { all, configError, ok } from './evaluation.ts';
import type { Evaluation } from './evaluation.ts';
import { judgeImage } from './image-fit.ts';
import type { Judged } from './image-fit.ts';
import { containerImage } from './image-needs.ts';
import { locatedContainers } from './rules/rule.ts';
import type { Located } from './rules/rule.ts';
import type { Notice } from './translation.ts';
import type { GroupVolumesScope } from './volumes.ts';

export interface PartScope extends GroupVolumesScope {
  /** What the mounts of a container come to. */
  readonly mountsOf: ReturnType<typeof containerMounts>;
  readonly host: PodHost;
}

export const partScope = (scope: GroupVolumesScope): PartScope => ({
  ...scope,
  mountsOf: containerMounts(scope.pod, scope.given, scope.live),
  host: podHost(scope.pod, scope.facts),
});

/** A container of the group, without what the agent has in it. */
export interface Part extends ContainerKey {
  readonly container: GroupInitContainer;
  readonly notices: readonly Notice[];
  /** Absent: ACI starts its program. */
  readonly wrapped?: WrappedContainer;
}

/** What the image says, where it is asked for, and gives what ACI can't set. */
function fittingImage(judged: Judged, { resolved, given }: PartScope): Evaluation<ImageConfig | undefined> {
  const image = containerImage(judged, resolved, given);
  if (image.kind !== 'ok' || image.value === undefined) return image;
  const fit = judgeImage(judged, image.value);
  return fit.kind === 'ok' ? image : fit;
}

type Started = Pick<GroupInitContainer, 'command' | 'environmentVariables' | 'volumeMounts'> & Pick<Part, 'wrapped'>;

interface Known {
  readonly environment: Environment;
  readonly config: ImageConfig | undefined;
}

function startedByAci(located: Located, { environment, config }: Known, scope: PartScope): Evaluation<Started> {
  const { variables } = environment;
  const command = groupCommand(located.container, { variables, path: located.path, config });
  if (command.kind !== 'ok') return command;
  const mounts = scope.mountsOf(located, { isWrapped: false, variables });
  if (mounts.kind !== 'ok') return mounts;
  return ok({
    ...(command.value !== undefined && { command: command.value }),
    environmentVariables: groupVariables(variables),
    volumeMounts: mounts.value.volumeMounts,
  });
}

function startedByAgent(
  located: Located,
  { environment, config }: Known,
  scope: PartScope,
  { mode, access }: { readonly mode: WrapMode; readonly access: AgentAccess },
): Evaluation<Started> {
  const mounts = scope.mountsOf(located, { isWrapped: true, variables: environment.variables });
  if (mounts.kind !== 'ok') return mounts;
  const { volumeMounts, ...others } = mounts.value;
  const { pod, host, given } = scope;
  const ordered = containerOrders(located, {
    pod,
    access,
    environment,
    config,
    mode,
    mounts: others,
    host,
    lost: given.kind === 'agent' ? given.lost : undefined,
  });
  if (ordered.kind !== 'ok') return ordered;
  const { orders, environmentVariables } = ordered.value;
  return ok({
    command: runCommand,
    environmentVariables,
    volumeMounts,
    wrapped: { orders, uid: startUid(config) },
  });
}

/** What init containers and the others have in common. */
export function containerPart(located: Located, scope: PartScope): Evaluation<Part> {
  const { container, path, member, index } = located;
  const { pod, given, resolved } = scope;
  const mode = given.kind === 'agent' ? given.wraps.get(keyText(located)) : undefined;
  const isWrapped = mode !== undefined;
  const environment = resolveEnvironment(scope, container, path, { isWrapped });
  if (environment.kind !== 'ok') return environment;
  const image = fittingImage({ pod, container, member, index }, scope);
  if (image.kind !== 'ok') return image;
  const known = { environment: environment.value, config: image.value };
  if (isWrapped && resolved.agent === undefined) return withoutKeys;
  const started =
    mode !== undefined && resolved.agent !== undefined
      ? startedByAgent(located, known, scope, { mode, access: resolved.agent })
      : startedByAci(located, known, scope);
  if (started.kind !== 'ok') return started;
  const { wrapped, ...rest } = started.value;
  const digest = image.value?.digest;
  return ok({
    member,
    index,
    container: {
      name: container.name,
      image: digest === undefined ? container.image : pinnedImage(container.image, digest),
      ...rest,
    },
    notices: environment.value.notices,
    ...(wrapped && { wrapped }),
  });
}

/** Nobody would hear what such an agent says. */
export const withoutKeys = configError('the app has no key for the agent of the pod');

/** All containers, init containers first; what is waited for names the first that waits. */
export const containerParts = (scope: PartScope): Evaluation<readonly Part[]> =>
  all(
    locatedContainers(scope.pod).map((located) => {
      const part = containerPart(located, scope);
      const container = { member: located.member, name: located.container.name };
      return part.kind === 'waiting' ? { ...part, container } : part;
    }),
  );
