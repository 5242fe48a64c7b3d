import { refuse } from '../pod/evaluation.ts';
import type { Refusal } from '../pod/translation.ts';
import { withoutAgent } from './stance.ts';
import type { Stance } from './stance.ts';
import type { Need } from './tier.ts';

/** A pod that can't have the agent is refused by the field that needs it, with what to do. */
export const refuseNeed = (
  { field, why, refusalReason, tier }: Need,
  stance: Extract<Stance, { kind: 'absent' }>,
): Refusal => ({ ...refuse(field, withoutAgent(why, stance), refusalReason), agent: tier });

/** All that a pod without the agent is refused for. */
export const refuseNeeds = (needs: readonly Need[], stance: Stance): readonly Refusal[] =>
  stance.kind === 'absent'
    ? needs.filter(({ strength }) => strength === 'needs').map((need) => refuseNeed(need, stance))
    : [];
