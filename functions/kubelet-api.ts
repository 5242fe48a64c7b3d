import { app } from '@azure/functions';
import type { HttpRequest, InvocationContext } from '@azure/functions';
import { runHttp } from '../shared/app/run-http.ts';

const deadlineMs = 20_000;

/** What the relay's kubelet port asks for: a container's log. Authentication: the relay's ServiceAccount token, by TokenReview. */
app.http('kubelet-api', {
  route: 'clusters/{cluster}/nodes/{node}/pods/{namespace}/{pod}/{uid}/containers/{container}/logs',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: (request: HttpRequest, context: InvocationContext) =>
    runHttp(request, context, deadlineMs, async (deps, cluster, signal) => {
      const { answerContainerLogs } = await import('../shared/app/answer-container-logs.ts');
      return answerContainerLogs(deps, cluster, request, signal);
    }),
});
