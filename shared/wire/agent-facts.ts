import type { AgentFacts } from '../core/agent/agent-facts.ts';
import type { Settings } from './settings.ts';

/** What an app's settings say of the agent. */
export const agentFacts = ({ AGENT }: Settings): AgentFacts => ({ mode: AGENT });
