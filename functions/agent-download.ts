import { app } from '@azure/functions';
import type { HttpRequest, InvocationContext } from '@azure/functions';

/**
 * The agent's program, for groups that fetch it while they start. Authentication: none. It is public code, the same for
 * everybody; who fetches it compares its hash with the one that the group was made with.
 */
app.http('agent-download', {
  route: 'agent/{sha256}',
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  handler: async (request: HttpRequest, context: InvocationContext) => {
    const { answerAgentDownload } = await import('../shared/app/agent-download.ts');
    return answerAgentDownload(request, context);
  },
});
