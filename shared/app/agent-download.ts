import { agentFolders, createPackagedAgent } from '../adapters/packaged-agent/packaged-agent.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { createAgentDownload } from './answer-agent-download.ts';

/** The agent of this app's package. */
export const packagedAgent = createPackagedAgent(agentFolders());

/** `GET /api/agent/{sha256}` of this process. Composed apart from all else, which needs settings that are right. */
export const answerAgentDownload = createAgentDownload(packagedAgent, systemClock);
