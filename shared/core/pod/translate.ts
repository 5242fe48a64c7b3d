import type { GroupBody, GroupContainer } from '../group/group.ts';
import { groupTags } from '../group/identity.ts';
import { addAgent } from '../agent/add-agent.ts';
import type { Grouped } from '../agent/add-agent.ts';
import { deliveryDigest } from '../agent/agent-facts.ts';
import { agentTags } from '../agent/agent-tags.ts';
import { madeLiveVolumes } from '../agent/files/live-files.ts';
import { contentNeeds } from '../agent/needs/content-needs.ts';
import { liveVolumes } from '../agent/live-volumes.ts';
import { lostNotices } from '../agent/findings/lost-notices.ts';
import { imageNeeds } from '../agent/needs/image-needs.ts';
import { hostNotices } from '../agent/pod-host.ts';
import { otherUsers, unreadPrograms } from '../agent/unread-images.ts';
import { processOnes } from '../agent/process-one.ts';
import { tierTags } from '../agent/tier-tags.ts';
import { keyText } from '../agent/wraps.ts';
import { defined } from '../defined.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { groupEquipment } from './annotations/equipment.ts';
import { placed } from './annotations/placed.ts';
import { wishesOf } from './annotations/read-wishes.ts';
import type { GroupWishes } from './annotations/wishes.ts';
import { inspectPod } from './inspect.ts';
import { groupDns } from './dns.ts';
import type { EnvironmentScope } from './environment.ts';
import { containerPart, containerParts, partScope, withoutKeys } from './group-containers.ts';
import type { Part, PartScope } from './group-containers.ts';
import { groupAddress } from './ip-address.ts';
import { groupLivenessProbe } from './probes.ts';
import { registryCredentials } from './registry-credentials.ts';
import { realtimeMetrics } from './realtime-metrics.ts';
import { allocate, toGroupResources } from './resources.ts';
import { groupServices } from './services.ts';
import { shareNotices } from './shares.ts';
import { flatContainers } from './sidecars.ts';
import { largeBody, largeText } from './size-limits.ts';
import { specHash } from './spec-hash.ts';
import { tokenNotices } from './token-notices.ts';
import { locatedContainers } from './rules/rule.ts';
import type { Inspection, NodeFacts, Refusal, ResolvedReferences, Translation } from './translation.ts';
import { groupVolumes } from './volumes.ts';
import type { GroupVolumes } from './volumes.ts';

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

/** What is judged of a pod with all at hand that it refers to: for what else it needs the agent, too. */
export function inspectWhole(
  pod: Pod,
  node: NodeFacts,
  resolved: ResolvedReferences,
): { readonly inspection: Inspection; readonly scope: PartScope } {
  const facts = placed(node, wishesOf(pod.metadata.annotations));
  const { total } = allocate(pod);
  const scope: EnvironmentScope = { pod, facts, resolved, allocatable: facts.allocatable, total };
  const inspection = inspectPod(pod, node, {
    needs: [...contentNeeds(scope), ...imageNeeds(pod, resolved)],
    insisting: processOnes(pod, resolved),
    unread: unreadPrograms(pod, resolved),
    others: otherUsers(pod, resolved),
  });
  const given = inspection.agentGiven;
  return { inspection, scope: partScope({ ...scope, given, live: liveVolumes(pod, given, resolved) }) };
}

/**
 * What is refused only with what the pod refers to at hand, of each container and volume the first: a secret in a
 * command, an item that names nothing. `translatePod` says the first of them all. For a pod that `inspectPod` lets through
 * or not: so that all is reported at once.
 */
export function lateRefusals({ inspection, scope }: ReturnType<typeof inspectWhole>): readonly Refusal[] {
  const { pod } = scope;
  const ofContainers = locatedContainers(pod).map((located) => containerPart(located, scope));
  const late = [...ofContainers, groupVolumes(scope)].filter((outcome) => outcome.kind === 'refused');
  return [...inspection.refusals, ...late];
}

type Allocated = Pick<GroupContainer, 'ports' | 'resources' | 'livenessProbe'>;

/** What of the containers that run beside each other their own spec and the size of the group decide. By `keyText`. */
function allocated(
  { pod, given }: PartScope,
  { ports }: ReturnType<typeof groupAddress>,
): ReadonlyMap<string, Allocated> {
  const { containers, flat } = allocate(pod);
  const ofFlat = flatContainers(pod).map(({ index }, at) => {
    const key = keyText({ member: 'initContainers', index });
    return [key, { resources: flat[at] ?? nothing.resources, ports: [] }] as const;
  });
  const ofMain = pod.spec.containers.map((container, index) => {
    const key = keyText({ member: 'containers', index });
    const isProbed = given.kind === 'none' || given.wraps.get(key) !== 'supervise';
    const livenessProbe = isProbed ? groupLivenessProbe(container) : undefined;
    const resources = containers[index] ?? nothing.resources;
    return [key, { resources, ports: ports[index] ?? [], ...defined({ livenessProbe }) }] as const;
  });
  return new Map<string, Allocated>([...ofFlat, ...ofMain]);
}

const nothing: Allocated = {
  ports: [],
  resources: { requests: toGroupResources({ centiCores: 1, deciGigabytes: 1 }) },
};

/** What has to be kept while the group is there, who may speak for it, and why. */
function tagsOfAgent({ given, resolved: { agent } }: PartScope): Readonly<Record<string, string>> {
  if (given.kind === 'none' || agent === undefined) return {};
  const { kid, nonce } = agent;
  return { ...agentTags({ digest: deliveryDigest(given.delivery), kid, nonce }), ...tierTags(given) };
}

/** With the agent, where the pod has it; undefined: there is no key for it. */
function grouped(scope: PartScope, parts: readonly Part[], volumes: GroupVolumes): Grouped | undefined {
  const { given, resolved } = scope;
  if (given.kind === 'none') return { parts, first: [], volumes: volumes.volumes };
  return resolved.agent && addAgent({ given, access: resolved.agent, scope }, parts, volumes);
}

/** Flat init containers are ordinary ones of the group, before the others. */
function groupMembers(
  scope: PartScope,
  { parts, first }: Grouped,
  address: ReturnType<typeof groupAddress>,
): Pick<GroupBody, 'containers' | 'initContainers'> {
  const resources = allocated(scope, address);
  const running = parts.filter((part) => resources.has(keyText(part)));
  return {
    containers: running.map((part) => ({ ...part.container, ...(resources.get(keyText(part)) ?? nothing) })),
    initContainers: [
      ...first,
      ...parts.filter((part) => !resources.has(keyText(part))).map(({ container }) => container),
    ],
  };
}

/**
 * The body of the PUT for a pod, from its spec and from what it refers to. Deterministic. Judges the spec first
 * (`inspectPod`), so a refusal comes before anything is waited for; waits, as a kubelet does, for ConfigMaps, Secrets
 * and keys that are missing and required, and for what a registry does not report an image. Secret values are only in
 * secure values, secret volumes, registry passwords, protected settings and the keys of shares and workspaces (rule 10 of docs/architecture.md);
 * notices name fields and objects, never values.
 */
export function translatePod(pod: Pod, node: NodeFacts, resolved: ResolvedReferences): Translation {
  const first = inspectPod(pod, node);
  if (first.refusal !== undefined) return first.refusal;
  const { inspection, scope } = inspectWhole(pod, node, resolved);
  if (inspection.refusal !== undefined) return inspection.refusal;
  const wishes = wishesOf(pod.metadata.annotations);
  const { facts, given } = scope;
  const volumes = groupVolumes(scope);
  if (volumes.kind !== 'ok') return volumes;
  const parts = containerParts(scope);
  if (parts.kind !== 'ok') return parts;
  const tooLong = largeText(parts.value);
  if (tooLong !== undefined) return tooLong;
  const group = grouped(scope, parts.value, volumes.value);
  if (group === undefined) return withoutKeys;
  const registries = registryCredentials(pod, resolved, {
    installed: facts.pullIdentities ?? {},
    own: wishes.identities,
    ...(given.kind === 'agent' && { agentImage: given.delivery.image }),
  });
  const equipment = groupEquipment(pod, facts, { wishes, pulling: registries.identities });
  if (equipment.kind !== 'ok') return equipment;
  const services = groupServices(facts, wishes, resolved.servicesCredential);
  if (services.kind !== 'ok') return services;
  const extensions = [...(services.value.extensions ?? []), ...realtimeMetrics(facts, wishes)];
  const address = groupAddress(pod, facts);
  const place = placement(pod, facts, wishes);
  const body: GroupBody = {
    ...place,
    tags: {
      ...place.tags,
      ...services.value.tags,
      ...tagsOfAgent(scope),
    },
    ...equipment.value,
    ...groupMembers(scope, group, address),
    restartPolicy: pod.spec.restartPolicy,
    imageRegistryCredentials: registries.credentials,
    volumes: group.volumes,
    ...defined({
      ipAddress: address.ipAddress,
      dnsConfig: groupDns(pod, facts).dnsConfig,
      extensions: extensions.length === 0 ? undefined : extensions,
    }),
  };
  const tooLarge = largeBody(body, parts.value);
  if (tooLarge !== undefined) return tooLarge;
  const notices = [
    ...inspection.notices,
    ...parts.value.flatMap((part) => part.notices),
    ...hostNotices(
      scope.host,
      parts.value.flatMap(({ wrapped }) => wrapped?.orders ?? []),
    ),
    ...lostNotices(
      scope,
      parts.value.flatMap(({ wrapped }) => wrapped?.orders ?? []),
    ),
    ...registries.notices,
    ...tokenNotices(pod, resolved.tokens, new Set(scope.live.keys())),
    ...shareNotices(pod, resolved),
  ];
  const liveVolumes = scope.live.size > 0 && { liveVolumes: madeLiveVolumes(scope) };
  return { kind: 'group', body, notices, ...reporting(scope), ...liveVolumes };
}

/** Of containers that run beside each other: whether there is a way to the app before is not known. */
function reporting({ pod, given }: PartScope): { readonly reporting?: readonly string[] } {
  if (given.kind === 'none') return {};
  // Whom nobody can hear nobody waits for.
  if (given.lost?.has('reports of the agent') === true) return { reporting: [] };
  const flat = flatContainers(pod).map(({ container, index }) => ({
    member: 'initContainers' as const,
    container,
    index,
  }));
  const main = pod.spec.containers.map((container, index) => ({ member: 'containers' as const, container, index }));
  const beside = [...flat, ...main].filter((one) => given.wraps.get(keyText(one)) === 'supervise');
  return { reporting: beside.map(({ container }) => container.name) };
}
