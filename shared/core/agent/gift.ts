import type { AgentGift, AgentTier, Strength } from './tier.ts';

const gift =
  (tier: AgentTier, strength: Strength) =>
  (how: string, more: Pick<AgentGift, 'concerns' | 'judged' | 'rest'> = {}): { readonly agent: AgentGift } => ({
    agent: { tier, strength, how, ...more },
  });

/** Members of a row of the compatibility table: what the agent gives that only prepares, and what a pod does for it. */
export const prepared = { needs: gift('T1', 'needs'), wants: gift('T1', 'wants'), takes: gift('T1', 'takes') } as const;

/** The same of what it gives while it stays beside the program. */
export const beside = { needs: gift('T2', 'needs'), wants: gift('T2', 'wants'), takes: gift('T2', 'takes') } as const;
