import type { PodRow } from '../../reconcile/pod-row.ts';
import type { AgentKeyName } from '../access.ts';

/** The key of the agents of the pod's present group; undefined: its group has none, or the row does not say. */
export const keyOfRow = ({ files, intent }: PodRow): AgentKeyName | undefined =>
  files?.key ?? (intent.kind === 'open' ? intent.agentKey : undefined);
