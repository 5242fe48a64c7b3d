import type { Finding } from '../pod/field-walk.ts';
import { keyText } from './wraps.ts';
import type { AgentDecision } from './decision.ts';
import { lostField } from './findings/lost-features.ts';
import { containerOf } from './tier.ts';

/** Whether the agent gives the pod what a field asks for. */
export function isGiven({ path, agent }: Pick<Finding, 'path' | 'agent'>, decision: AgentDecision): boolean {
  if (decision.kind === 'none' || agent === undefined) return false;
  if (lostField(decision.lost, path) !== undefined) return false;
  if (agent.judged === true) return decision.needs.some(({ field }) => field === path);
  const container = containerOf(path);
  return container === undefined || decision.wraps.has(keyText(container));
}
