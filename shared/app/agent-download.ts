import { agentFolders, createPackagedAgent } from '../adapters/packaged-agent/packaged-agent.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { createAgentDownload } from './answer-agent-download.ts';
import type { DownloadAnswer, DownloadRequest } from './answer-agent-download.ts';
import { invocationLog } from './invocation-log.ts';
import type { InvocationLogger } from './invocation-log.ts';

/** The agent of this app's package. */
export const packagedAgent = createPackagedAgent(agentFolders());

const answer = createAgentDownload({
  agent: packagedAgent,
  kept: async () => {
    const { loadKeptAgents } = await import('./load-deps.ts');
    return loadKeptAgents();
  },
  clock: systemClock,
});

/** `GET /api/agent/{sha256}` of this process. Composed apart from all else: the package's agent is handed out whatever the settings are. */
export const answerAgentDownload = (request: DownloadRequest, context: InvocationLogger): Promise<DownloadAnswer> =>
  answer(request, invocationLog(context));
