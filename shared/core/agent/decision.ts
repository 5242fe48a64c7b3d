import type { Pod } from '../kubernetes/pod.ts';
import { volumeParts } from '../pod/mounted-volumes.ts';
import { absolutePath } from '../pod/nested-paths.ts';
import { maxContainers } from '../pod/rules/containers.ts';
import { locatedContainers } from '../pod/rules/rule.ts';
import { maxVolumes } from '../pod/volume-folders.ts';
import type { InspectionFacts } from '../pod/translation.ts';
import type { AgentDelivery } from './agent-facts.ts';
import { foundThat, lostFeatures, lostField } from './findings/lost-features.ts';
import type { LostFeatures } from './findings/lost-features.ts';
import { lostInContainers } from './findings/lost-in-containers.ts';
import { environmentNeeds } from './needs/environment-needs.ts';
import { fieldNeeds } from './needs/field-needs.ts';
import { liveNeeds } from './needs/live-needs.ts';
import { messageNeeds } from './needs/message-needs.ts';
import { probeNeeds } from './needs/probe-needs.ts';
import { signalNeeds } from './needs/signal-needs.ts';
import { folderNeeds, subPathNeeds } from './needs/volume-needs.ts';
import { agentPlaces } from './places.ts';
import { agentStance } from './stance.ts';
import type { Stance } from './stance.ts';
import type { AgentTier, Need } from './tier.ts';
import { insistence, wrapsOf } from './wraps.ts';
import type { Obstacle, ProcessOnes, Wraps } from './wraps.ts';

/** What a pod gets of the agent. */
export type AgentDecision = NoAgent | GivenAgent;

export interface NoAgent {
  readonly kind: 'none';
  readonly stance: Stance;
  /** For what the pod would have to have it, or want it. */
  readonly needs: readonly Need[];
  /** What even the agent could not do here. */
  readonly obstacles: readonly Obstacle[];
}

export interface GivenAgent {
  readonly kind: 'agent';
  readonly tier: AgentTier;
  readonly delivery: AgentDelivery;
  readonly needs: readonly Need[];
  readonly wraps: Wraps;
  /** The first field of the tier, and how many more there are: `spec.hostAliases and 2 more`. */
  readonly reason: string;
  /** What the agent can't do here: it does not fit, its program would have to be another's parent, a probe found why. */
  readonly obstacles: readonly Obstacle[];
  /** What a probe found that can't be had at the pod's place; absent: nothing. */
  readonly lost?: LostFeatures;
}

/** What the spec alone does not say. */
export interface LateKnowledge {
  readonly needs: readonly Need[];
  readonly insisting: ProcessOnes;
  /** Programs that the agent can't start; for what a pod could do without it starts none of them (`unreadPrograms`). */
  readonly unread?: ReadonlySet<string>;
  /** By `keyText`, as whom containers start whose image has another user than root. */
  readonly others?: ReadonlyMap<string, string>;
}

export const nothingLate: LateKnowledge = { needs: [], insisting: new Map() };

/** For which a pod's spec alone has to have the agent, or is to, in the order in which they are reported. */
const specNeeds = (pod: Pod, facts: InspectionFacts): readonly Need[] => [
  ...fieldNeeds(pod, facts),
  ...environmentNeeds(pod),
  ...probeNeeds(pod, facts),
  ...folderNeeds(pod),
  ...subPathNeeds(pod),
  ...messageNeeds(pod),
  ...liveNeeds(pod),
  ...signalNeeds(pod),
];

/** Of the agent itself: the program, the records, the orders of `install`. */
const ownVolumes = 3;

const isTaken = (place: string): boolean =>
  Object.values(agentPlaces).some((own) => place === own || place.startsWith(`${own}/`));

/** Why the agent does not fit into the group; undefined: it does. */
function misfit(pod: Pod, wraps: Wraps): string | undefined {
  const mounts = locatedContainers(pod).flatMap(({ container }) => container.volumeMounts);
  const taken = mounts.map(({ mountPath }) => absolutePath(mountPath)).find(isTaken);
  if (taken !== undefined) return `a volume is mounted at ${taken}, where the agent has files of its own`;
  const containers = pod.spec.containers.length + pod.spec.initContainers.length + 1;
  if (containers > maxContainers) return `${containers} containers with the agent's; a group takes ${maxContainers}`;
  const volumes = volumeParts(pod, 'agent').length + ownVolumes + wraps.size;
  return volumes > maxVolumes ? `${volumes} volumes with the agent's; a group takes ${maxVolumes}` : undefined;
}

function reasonOf(needs: readonly Need[], tier: AgentTier): string {
  const first = needs.find((need) => need.tier === tier);
  const more = new Set(needs.map(({ field }) => field)).size - 1;
  return `${first?.field ?? ''}${more > 0 ? ` and ${more} more` : ''}`;
}

interface Candidate {
  readonly needs: readonly Need[];
  readonly tier: AgentTier;
  readonly wraps: Wraps;
  readonly misfit: string | undefined;
}

/** From the most to the least: all that is wanted, or what is needed alone; all containers supervised, or those that ask. */
function candidates(pod: Pod, all: readonly Need[], isForced: boolean, insisting: ProcessOnes): readonly Candidate[] {
  const hard = all.filter(({ strength }) => strength === 'needs');
  const make = (needs: readonly Need[], isWide: boolean, forced: boolean): readonly Candidate[] => {
    if (needs.length === 0 && !forced) return [];
    const tier = forced || needs.some((need) => need.tier === 'T2') ? 'T2' : 'T1';
    const wraps = wrapsOf(pod, { needs, isWide: tier === 'T2' && isWide, insisting });
    return [{ needs, tier, wraps, misfit: misfit(pod, wraps) }];
  };
  return [
    ...make(all, true, isForced),
    ...make(all, false, false),
    ...make(hard, true, false),
    ...make(hard, false, false),
  ];
}

const isFit = ({ misfit: why }: Candidate): boolean => why === undefined;

const isUnread = ({ wraps }: Candidate, unread: LateKnowledge['unread'] = new Set()): boolean =>
  [...wraps.keys()].some((key) => unread.has(key));

interface Judged {
  /** For which the pod can have the agent here. */
  readonly needs: readonly Need[];
  readonly obstacles: readonly Obstacle[];
}

/** What the agent can't give here is refused where nobody else gives it, and no reason for the agent. */
function judgeNeeds(needs: readonly Need[], lost: LostFeatures | undefined): Judged {
  const found = needs.map((need) => ({ need, id: lostField(lost, need.field) }));
  return {
    needs: found.filter(({ id }) => id === undefined).map(({ need }) => need),
    obstacles: found.flatMap(({ need: { field, strength }, id }) =>
      id !== undefined && strength === 'needs' ? [{ field, why: foundThat(id) }] : [],
    ),
  };
}

/**
 * Whether a pod gets the agent, and for what. `late` is what the spec alone does not say: what comes of images, and of what
 * the pod refers to. What the pod could do without never makes its group too large, nor has it wait for an image.
 */
export function decideAgent(pod: Pod, facts: InspectionFacts, late: LateKnowledge = nothingLate): AgentDecision {
  const lost = lostFeatures(facts.failed, pod);
  const stance = agentStance(pod, facts, lost);
  const wanted = [...specNeeds(pod, facts), ...late.needs];
  if (stance.kind === 'absent') return { kind: 'none', stance, needs: wanted, obstacles: [] };
  const { needs, obstacles } = judgeNeeds(wanted, lost);
  const all = facts.agent?.isKeyless === true ? needs.filter(({ strength }) => strength === 'needs') : needs;
  const tries = candidates(pod, all, stance.mode === 'always', late.insisting);
  const hard = all.find(({ strength }) => strength === 'needs');
  // Where nothing fits, the least that the pod can't do without says so.
  const blocked = ({ wraps, needs: met }: Candidate): readonly Obstacle[] =>
    lost === undefined ? [] : lostInContainers(pod, { wraps, needs: met, others: late.others, lost });
  const best =
    tries.find((one) => isFit(one) && !isUnread(one, late.unread) && blocked(one).length === 0) ??
    (hard && (tries.findLast(isFit) ?? tries.at(-1)));
  if (best === undefined) return { kind: 'none', stance, needs: [], obstacles };
  const { needs: met, tier, wraps } = best;
  return {
    kind: 'agent',
    tier,
    delivery: stance.delivery,
    needs: met,
    wraps,
    reason: met.some((need) => need.tier === tier) ? reasonOf(met, tier) : stance.said,
    obstacles: [
      ...obstacles,
      ...blocked(best),
      ...(best.misfit !== undefined && hard ? [{ field: hard.field, why: best.misfit }] : []),
      ...insistence(pod, met, late.insisting),
    ],
    ...(lost && { lost }),
  };
}
