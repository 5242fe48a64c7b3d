import { tagNames } from '../group/identity.ts';
import type { GivenAgent } from './decision.ts';
import type { AgentTier } from './tier.ts';

/** In which tier a group was made, and why. */
export interface TierTags {
  readonly tier: AgentTier;
  /** The first field for which the pod has the agent, and how many more; it may be cut. */
  readonly reason: string;
}

/** Of the value of a tag. */
const maxLength = 256;

export const tierTags = ({ tier, reason }: Pick<GivenAgent, 'tier' | 'reason'>): Readonly<Record<string, string>> => ({
  [tagNames.tier]: tier,
  [tagNames.tierReason]: reason.slice(0, maxLength),
});

/** Undefined: the group has no agent. */
export function readTierTags(tags: Readonly<Record<string, string>>): TierTags | undefined {
  const tier = tags[tagNames.tier];
  return tier === 'T1' || tier === 'T2' ? { tier, reason: tags[tagNames.tierReason] ?? '' } : undefined;
}
