import { decideAgent } from '../agent/decision.ts';
import { keyText } from '../agent/wraps.ts';
import type { AgentDecision } from '../agent/decision.ts';
import { contentNeeds } from '../agent/needs/content-needs.ts';
import type { ImageConfig } from '../image/image-config.ts';
import { lookUpTrouble } from '../image/look-up-trouble.ts';
import type { PullFault } from '../image/look-up-trouble.ts';
import type { Pod } from '../kubernetes/pod.ts';
import type { Judged } from './image-fit.ts';
import { pullPolicy } from './image-trouble.ts';
import { ok } from './evaluation.ts';
import type { Evaluation } from './evaluation.ts';
import { placed } from './annotations/placed.ts';
import { wishesOf } from './annotations/read-wishes.ts';
import { allocate } from './resources.ts';
import { wantedRights, wantedUser } from './security-context.ts';
import type { Member } from './security-context.ts';
import type { ImageReference, NodeFacts, ResolvedReferences } from './translation.ts';

const isWrapped = (given: AgentDecision, member: Member, index: number): boolean =>
  given.kind === 'agent' && given.wraps.has(keyText({ member, index }));

/**
 * ACI's `command` takes the place of the image's entrypoint too: arguments alone need to know it, and so does the agent
 * where the pod names no command. A user or a folder is compared with the image's.
 */
function needsConfig(pod: Pod, given: AgentDecision, { member, index }: Pick<Judged, 'member' | 'index'>): boolean {
  const { command = [], args = [] } = pod.spec[member][index] ?? {};
  const wanted = wantedUser(pod, member, index);
  const isUnknown = command.length === 0 && (args.length > 0 || isWrapped(given, member, index));
  const { supplementalGroups, isStrict } = wantedRights(pod, member, index);
  const hasGroups = isWrapped(given, member, index) && (supplementalGroups !== undefined || isStrict);
  return isUnknown || hasGroups || Object.values(wanted).some((one) => one !== undefined);
}

/** Whether the container would have its program started by the agent for what only its image says. */
const mayBeWrapped = (pod: Pod, given: AgentDecision, { member, index }: Pick<Judged, 'member' | 'index'>): boolean =>
  (given.kind === 'agent' || given.stance.kind === 'ready') &&
  wantedRights(pod, member, index).runAsGroup !== undefined;

/**
 * The images whose registry has to be asked, each once and sorted; a pod that needs none costs no request. With the agent
 * also those whose programs it starts: as whom they start, and by which signal they end. To be asked for when all else is
 * read that the pod refers to.
 */
export function imageReferences(
  pod: Pod,
  node: NodeFacts,
  resolved: Omit<ResolvedReferences, 'images'>,
): readonly ImageReference[] {
  const { spec, rawSpec } = pod;
  const facts = placed(node, wishesOf(pod.metadata.annotations));
  const { allocatable } = facts;
  const scope = { pod, facts, resolved: { ...resolved, images: new Map() }, allocatable, total: allocate(pod).total };
  const given = decideAgent(pod, facts, { needs: contentNeeds(scope), insisting: new Map() });
  const wanted = new Map<string, boolean>();
  for (const member of ['initContainers', 'containers'] as const)
    for (const [index, container] of spec[member].entries()) {
      const key = { member, index };
      if (!needsConfig(pod, given, key) && !isWrapped(given, member, index) && !mayBeWrapped(pod, given, key)) continue;
      const isAlways = pullPolicy(rawSpec[member], index) === 'Always';
      wanted.set(container.image, isAlways || wanted.get(container.image) === true);
    }
  return [...wanted].map(([image, isAlways]) => ({ image, isAlways })).sort((a, b) => (a.image < b.image ? -1 : 1));
}

/**
 * What the container's image says, where it was asked for: also for one that could do without, so that all containers of
 * an image run the same. A container that can't do without waits for it as a kubelet waits for a pull.
 */
export function containerImage(
  { pod, container, member, index }: Judged,
  { images }: Pick<ResolvedReferences, 'images'>,
  given: AgentDecision,
): Evaluation<ImageConfig | undefined> {
  const { image } = container;
  const read = images.get(image);
  if (read?.ok === true) return ok(read.value);
  if (!needsConfig(pod, given, { member, index })) return ok(undefined);
  const pull: PullFault = { image, fault: read?.fault ?? { kind: 'transient', message: 'its registry was not asked' } };
  return { kind: 'waiting', reason: 'ErrImagePull', message: lookUpTrouble(pull, false).message, pull };
}
