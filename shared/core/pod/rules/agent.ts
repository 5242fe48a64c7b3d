import { refuseNeeds } from '../../agent/refuse-need.ts';
import { refuse } from '../evaluation.ts';
import type { Rule } from './rule.ts';

/** What only the agent gives, of a pod that can't have it, or where it can't. Those of the table of fields are reported there already. */
export const agentRule: Rule = (_pod, { agentGiven }) => [
  ...agentGiven.obstacles.map(({ field, why }) => refuse(field, why)),
  ...(agentGiven.kind === 'none' ? refuseNeeds(agentGiven.needs, agentGiven.stance) : []),
];
