import type { PodRow } from '../reconcile/pod-row.ts';
import type { AgentKeyName } from './access.ts';

/** What is known without asking Azure of the agent in a pod's group. Undefined: nothing; the group's tags say it. */
export const agentOf = ({ intent }: Pick<PodRow, 'intent'>): AgentKeyName | undefined =>
  intent.kind === 'open' ? intent.agentKey : undefined;
