import type { GroupBody, GroupContainer, GroupEnvironmentVariable, GroupInitContainer } from '../group/group.ts';
import { groupTags } from '../group/identity.ts';
import { defined } from '../defined.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { groupEquipment } from './annotations/equipment.ts';
import { placed } from './annotations/placed.ts';
import { wishesOf } from './annotations/read-wishes.ts';
import type { GroupWishes } from './annotations/wishes.ts';
import { groupCommand } from './command.ts';
import { pinnedImage } from '../image/image-source.ts';
import type { ImageConfig } from '../image/image-config.ts';
import { judgeImage } from './image-fit.ts';
import type { Judged } from './image-fit.ts';
import { containerImage } from './image-needs.ts';
import { resolveEnvironment } from './environment.ts';
import type { EnvironmentScope, Variables } from './environment.ts';
import { inspectPod } from './inspect.ts';
import { groupDns } from './dns.ts';
import { maxBodyBytes } from './expansion.ts';
import { groupAddress } from './ip-address.ts';
import { all, ok, refuse } from './evaluation.ts';
import type { Evaluation } from './evaluation.ts';
import { groupLivenessProbe } from './probes.ts';
import { registryCredentials } from './registry-credentials.ts';
import { realtimeMetrics } from './realtime-metrics.ts';
import { allocate, toGroupResources } from './resources.ts';
import { groupServices } from './services.ts';
import { shareNotices } from './shares.ts';
import { specHash } from './spec-hash.ts';
import { tokenNotices } from './token-notices.ts';
import { locatedContainers } from './rules/rule.ts';
import type { Located } from './rules/rule.ts';
import type { NodeFacts, Notice, Refusal, ResolvedReferences, Translation } from './translation.ts';
import { bodyTooLarge, groupMounts, groupVolumes, isReadOnlyVolume } from './volumes.ts';

/** An empty secret hides nothing, and whether ACI takes an empty secure value is not known. */
const environmentVariables = (variables: Variables): readonly GroupEnvironmentVariable[] =>
  [...variables].map(([name, { value, secret }]) =>
    secret && value !== '' ? { name, secureValue: value } : { name, value },
  );

/** Of all variables and words: more than a request may have could be more than a string can hold. */
function textLength({ containers, initContainers }: Containers): number {
  let length = 0;
  for (const { command = [], environmentVariables: variables } of [...initContainers, ...containers]) {
    for (const word of command) length += word.length;
    for (const { value, secureValue } of variables) length += (value ?? secureValue ?? '').length;
  }
  return length;
}

interface Translated<T> {
  readonly container: T;
  readonly notices: readonly Notice[];
}

/** What the image says, where it is asked for, and gives what ACI can't set. */
function fittingImage(judged: Judged, resolved: ResolvedReferences): Evaluation<ImageConfig | undefined> {
  const image = containerImage(judged, resolved);
  if (image.kind !== 'ok' || image.value === undefined) return image;
  const fit = judgeImage(judged, image.value);
  return fit.kind === 'ok' ? image : fit;
}

interface PartScope extends EnvironmentScope {
  /** What a mount of the pod comes to. */
  readonly mountsOf: ReturnType<typeof groupMounts>;
}

const partScope = (scope: EnvironmentScope): PartScope => ({ ...scope, mountsOf: groupMounts(scope.pod) });

/** What init containers and the others have in common. */
function commonPart(
  { container, path, member, index }: Located,
  scope: PartScope,
): Evaluation<Translated<GroupInitContainer>> {
  const environment = resolveEnvironment(scope, container, path);
  if (environment.kind !== 'ok') return environment;
  const { variables, notices } = environment.value;
  const image = fittingImage({ pod: scope.pod, container, member, index }, scope.resolved);
  if (image.kind !== 'ok') return image;
  const command = groupCommand(container, { variables, path, config: image.value });
  if (command.kind !== 'ok') return command;
  const digest = image.value?.digest;
  const volumeMounts = container.volumeMounts.flatMap((mount) => {
    const isReadOnly = mount.readOnly || isReadOnlyVolume(scope.pod, mount.name);
    return scope.mountsOf(mount).map((one) => ({ ...one, ...(isReadOnly && { readOnly: true }) }));
  });
  return ok({
    container: {
      name: container.name,
      image: digest === undefined ? container.image : pinnedImage(container.image, digest),
      ...(command.value !== undefined && { command: command.value }),
      environmentVariables: environmentVariables(variables),
      volumeMounts,
    },
    notices,
  });
}

/** Of all containers of a kind; what is waited for names the first that waits. */
const commonParts = (
  scope: PartScope,
  member: 'initContainers' | 'containers',
): Evaluation<readonly Translated<GroupInitContainer>[]> =>
  all(
    locatedContainers(scope.pod)
      .filter((located) => located.member === member)
      .map((located) => {
        const part = commonPart(located, scope);
        return part.kind === 'waiting' ? { ...part, container: { member, name: located.container.name } } : part;
      }),
  );

interface Containers {
  readonly containers: readonly GroupContainer[];
  readonly initContainers: readonly GroupInitContainer[];
  readonly notices: readonly Notice[];
}

type Allocated = Pick<GroupContainer, 'ports' | 'resources' | 'livenessProbe'>;

function groupContainers(scope: PartScope, allocated: readonly Allocated[]): Evaluation<Containers> {
  const init = commonParts(scope, 'initContainers');
  if (init.kind !== 'ok') return init;
  const main = commonParts(scope, 'containers');
  if (main.kind !== 'ok') return main;
  const nothing: Allocated = {
    ports: [],
    resources: { requests: toGroupResources({ centiCores: 1, deciGigabytes: 1 }) },
  };
  return ok({
    initContainers: init.value.map(({ container }) => container),
    containers: main.value.map(({ container }, index) => ({ ...container, ...(allocated[index] ?? nothing) })),
    notices: [...init.value, ...main.value].flatMap(({ notices }) => notices),
  });
}

/** Region and owner are the node's; zone and network too, unless an annotation says others. */
function placement(
  pod: Pod,
  facts: NodeFacts,
  { tags = {} }: GroupWishes,
): Pick<GroupBody, 'location' | 'tags' | 'zones' | 'subnetIds'> {
  const { name, namespace, uid } = pod.metadata;
  const { installation, cluster, node } = facts;
  return {
    location: facts.location,
    tags: { ...tags, ...groupTags({ installation, cluster, node, namespace, name, uid }, specHash(pod, facts)) },
    ...(facts.zone !== undefined && { zones: [facts.zone] as const }),
    ...(facts.subnetId !== undefined && { subnetIds: [{ id: facts.subnetId }] as const }),
  };
}

/**
 * What is refused only with what the pod refers to at hand, of each container and volume the first: a secret in a
 * command, an item that names nothing. `translatePod` says the first of them all. For a pod that `inspectPod` lets through
 * or not: so that all is reported at once.
 */
export function lateRefusals(pod: Pod, facts: NodeFacts, resolved: ResolvedReferences): readonly Refusal[] {
  const scope = partScope({ pod, facts, resolved, allocatable: facts.allocatable, total: allocate(pod).total });
  const ofContainers = locatedContainers(pod).map((located) => commonPart(located, scope));
  return [...ofContainers, groupVolumes(scope)].filter((outcome) => outcome.kind === 'refused');
}

/**
 * The body of the PUT for a pod, from its spec and from what it refers to. Deterministic. Judges the spec first
 * (`inspectPod`), so a refusal comes before anything is waited for; waits, as a kubelet does, for ConfigMaps, Secrets
 * and keys that are missing and required, and for what a registry does not report an image. Secret values are only in
 * secure values, secret volumes, registry passwords, protected settings and the keys of shares and workspaces (rule 10 of docs/architecture.md);
 * notices name fields and objects, never values.
 */
export function translatePod(pod: Pod, node: NodeFacts, resolved: ResolvedReferences): Translation {
  const inspection = inspectPod(pod, node);
  if (inspection.refusal !== undefined) return inspection.refusal;
  const wishes = wishesOf(pod.metadata.annotations);
  const facts = placed(node, wishes);
  const allocation = allocate(pod);
  const scope = partScope({ pod, facts, resolved, allocatable: facts.allocatable, total: allocation.total });
  const volumes = groupVolumes(scope);
  if (volumes.kind !== 'ok') return volumes;
  const address = groupAddress(pod, facts);
  const probes = pod.spec.containers.map(groupLivenessProbe);
  const allocated = allocation.containers.map((resources, index) => ({
    resources,
    ports: address.ports[index] ?? [],
    ...defined({ livenessProbe: probes[index] }),
  }));
  const containers = groupContainers(scope, allocated);
  if (containers.kind !== 'ok') return containers;
  if (textLength(containers.value) > maxBodyBytes)
    return refuse(
      'spec.containers',
      'with what they refer to, commands and variables are larger than the 4 MB that ARM takes',
    );
  const registries = registryCredentials(pod, resolved, {
    installed: facts.pullIdentities ?? {},
    own: wishes.identities,
  });
  const equipment = groupEquipment(pod, facts, { wishes, pulling: registries.identities });
  if (equipment.kind !== 'ok') return equipment;
  const services = groupServices(facts, wishes, resolved.servicesCredential);
  if (services.kind !== 'ok') return services;
  const extensions = [...(services.value.extensions ?? []), ...realtimeMetrics(facts, wishes)];
  const place = placement(pod, facts, wishes);
  const body: GroupBody = {
    ...place,
    tags: { ...place.tags, ...services.value.tags },
    ...equipment.value,
    containers: containers.value.containers,
    initContainers: containers.value.initContainers,
    restartPolicy: pod.spec.restartPolicy,
    imageRegistryCredentials: registries.credentials,
    volumes: volumes.value,
    ...defined({
      ipAddress: address.ipAddress,
      dnsConfig: groupDns(pod, facts).dnsConfig,
      extensions: extensions.length === 0 ? undefined : extensions,
    }),
  };
  if (Buffer.byteLength(JSON.stringify(body)) > maxBodyBytes) return bodyTooLarge;
  const notices = [
    ...inspection.notices,
    ...containers.value.notices,
    ...registries.notices,
    ...tokenNotices(pod, resolved.tokens),
    ...shareNotices(pod, resolved),
  ];
  return { kind: 'group', body, notices };
}
