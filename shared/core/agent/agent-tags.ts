import { tagNames } from '../group/identity.ts';
import { deliveryDigest } from './agent-facts.ts';
import type { AgentAccess } from './agent-facts.ts';
import type { GivenAgent } from './decision.ts';
import type { AgentTier } from './tier.ts';

/** What a group says of its agent: what has to be kept while the group is there, and who may speak for it. */
export interface AgentTags {
  readonly tier: AgentTier;
  /** The first field for which the pod has the agent, and how many more; it may be cut. */
  readonly reason: string;
  /** `sha256:…` of the image or program. */
  readonly digest: string;
  readonly kid: string;
  readonly nonce: string;
}

/** Of the value of a tag. */
const maxLength = 256;

/** The tags of a group with the agent. */
export function agentTags(
  { tier, reason, delivery }: Pick<GivenAgent, 'tier' | 'reason' | 'delivery'>,
  { kid, nonce }: Pick<AgentAccess, 'kid' | 'nonce'>,
): Readonly<Record<string, string>> {
  return {
    [tagNames.agent]: deliveryDigest(delivery),
    [tagNames.agentKey]: `${kid}/${nonce}`,
    [tagNames.tier]: tier,
    [tagNames.tierReason]: reason.slice(0, maxLength),
  };
}

/** As {@link agentTags} wrote them; undefined: the group has no agent. */
export function readAgentTags(tags: Readonly<Record<string, string>>): AgentTags | undefined {
  const tier = tags[tagNames.tier];
  const [kid = '', nonce = ''] = (tags[tagNames.agentKey] ?? '').split('/', 2);
  const digest = tags[tagNames.agent] ?? '';
  if ((tier !== 'T1' && tier !== 'T2') || kid === '' || nonce === '' || digest === '') return undefined;
  return { tier, reason: tags[tagNames.tierReason] ?? '', digest, kid, nonce };
}
