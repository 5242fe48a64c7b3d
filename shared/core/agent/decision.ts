import type { Pod } from '../kubernetes/pod.ts';
import { volumeParts } from '../pod/mounted-volumes.ts';
import { absolutePath } from '../pod/nested-paths.ts';
import { maxContainers } from '../pod/rules/containers.ts';
import { locatedContainers } from '../pod/rules/rule.ts';
import { maxVolumes } from '../pod/volume-folders.ts';
import type { InspectionFacts } from '../pod/translation.ts';
import type { AgentDelivery } from './agent-facts.ts';
import { environmentNeeds } from './needs/environment-needs.ts';
import { fieldNeeds } from './needs/field-needs.ts';
import { folderNeeds, subPathNeeds } from './needs/volume-needs.ts';
import { agentPlaces } from './places.ts';
import { agentStance } from './stance.ts';
import type { Stance } from './stance.ts';
import type { AgentTier, ContainerKey, Need } from './tier.ts';

/** How the agent starts a program: it becomes the program. */
export type WrapMode = 'exec';

/** By `keyText`; of a container that is not there the program starts as if there were no agent. */
export type Wraps = ReadonlyMap<string, WrapMode>;

export const keyText = ({ member, index }: ContainerKey): string => `${member}[${index}]`;

/** What a pod gets of the agent. */
export type AgentDecision = NoAgent | GivenAgent;

export interface NoAgent {
  readonly kind: 'none';
  readonly stance: Stance;
  /** For what the pod would have to have it, or want it. */
  readonly needs: readonly Need[];
}

export interface GivenAgent {
  readonly kind: 'agent';
  readonly tier: AgentTier;
  readonly delivery: AgentDelivery;
  readonly needs: readonly Need[];
  readonly wraps: Wraps;
  /** The first field of the tier, and how many more there are: `spec.hostAliases and 2 more`. */
  readonly reason: string;
  /** The field that needs the agent, where it does not fit into the group. */
  readonly overflow?: { readonly field: string; readonly why: string };
}

/** For which a pod's spec alone has to have the agent, or is to, in the order in which they are reported. */
const specNeeds = (pod: Pod, facts: InspectionFacts): readonly Need[] => [
  ...fieldNeeds(pod, facts),
  ...environmentNeeds(pod),
  ...folderNeeds(pod),
  ...subPathNeeds(pod),
];

const keysOf = (pod: Pod, members: readonly ContainerKey['member'][]): readonly string[] =>
  members.flatMap((member) => pod.spec[member].map((_, index) => keyText({ member, index })));

/** Whose programs the agent starts: only those that ask for it, so that all others run as they always did. */
function wrapsOf(pod: Pod, needs: readonly Need[], isForced: boolean): Wraps {
  const main = keysOf(pod, ['containers']);
  const keys = needs.flatMap(({ concerns }) => {
    if (concerns === 'group') return [];
    if (concerns === 'main') return main;
    return concerns === 'all' ? keysOf(pod, ['initContainers', 'containers']) : [keyText(concerns)];
  });
  return new Map([...(isForced ? main : []), ...keys].map((key) => [key, 'exec']));
}

/** Of the agent itself: the program, the records, the orders of `install`. */
const ownVolumes = 3;

const isTaken = (place: string): boolean =>
  Object.values(agentPlaces).some((own) => place === own || place.startsWith(`${own}/`));

/** Why the agent does not fit into the group; undefined: it does. */
function overflowOf(pod: Pod, wraps: Wraps): string | undefined {
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

/**
 * Whether a pod gets the agent, and for what. `late` is what the spec alone does not say: what comes of images, and of what
 * the pod refers to. What the pod could do without never makes its group too large.
 */
export function decideAgent(pod: Pod, facts: InspectionFacts, late: readonly Need[] = []): AgentDecision {
  const stance = agentStance(pod, facts);
  const all = [...specNeeds(pod, facts), ...late];
  if (stance.kind === 'absent') return { kind: 'none', stance, needs: all };
  const hard = all.filter(({ strength }) => strength === 'needs');
  const isForced = stance.mode === 'always';
  const tries = [
    { needs: all, isForced },
    { needs: hard, isForced: false },
  ].map((one) => {
    const wraps = wrapsOf(pod, one.needs, one.isForced);
    return { ...one, wraps, overflow: overflowOf(pod, wraps) };
  });
  const [, least] = tries;
  const best = tries.find(({ overflow }) => overflow === undefined) ?? least;
  const [first] = hard;
  if (best === undefined || (best.needs.length === 0 && !best.isForced)) return { kind: 'none', stance, needs: [] };
  if (best.overflow !== undefined && first === undefined) return { kind: 'none', stance, needs: [] };
  const tier = best.needs.some((need) => need.tier === 'T2') ? 'T2' : 'T1';
  return {
    kind: 'agent',
    tier,
    delivery: stance.delivery,
    needs: best.needs,
    wraps: best.wraps,
    reason: best.needs.length === 0 ? stance.said : reasonOf(best.needs, tier),
    ...(best.overflow !== undefined && first && { overflow: { field: first.field, why: best.overflow } }),
  };
}
