import { refuseNeeds } from '../../agent/refuse-need.ts';
import type { Rule } from './rule.ts';

/** What only the agent gives, of a pod that can't have it. Those of the table of fields are reported there already. */
export const agentRule: Rule = (_pod, { agentGiven }) =>
  agentGiven.kind === 'agent' ? [] : refuseNeeds(agentGiven.needs, agentGiven.stance);
