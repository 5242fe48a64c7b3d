import { app } from '@azure/functions';
import type { HttpRequest, InvocationContext } from '@azure/functions';

/**
 * What an agent asks for when the files of its container's volumes have changed. Authentication: a signature by the key of the
 * pod's agents, over the body.
 */
app.http('pod-files', {
  route: 'pods/{uid}/files',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async (request: HttpRequest, context: InvocationContext) => {
    const { answerPodFiles } = await import('../shared/app/answer-pod-files.ts');
    return answerPodFiles(request, context);
  },
});
