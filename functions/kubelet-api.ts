import { app } from '@azure/functions';
import type { HttpRequest, InvocationContext } from '@azure/functions';
import { runHttp } from '../shared/app/run-http.ts';

const deadlineMs = 20_000;

/**
 * What the relay's kubelet port asks for: a container's log (`GET …/logs`), a session with it (`POST …/exec`, `…/attach`, `…/portforward`), or
 * whether the app reaches one (`POST …/session-dial`). Authentication: the relay's
 * ServiceAccount token, by TokenReview.
 */
app.http('kubelet-api', {
  route: 'clusters/{cluster}/nodes/{node}/pods/{namespace}/{pod}/{uid}/containers/{container}/{part}',
  methods: ['GET', 'POST'],
  authLevel: 'anonymous',
  handler: (request: HttpRequest, context: InvocationContext) =>
    runHttp(request, context, deadlineMs, async (deps, cluster, signal) => {
      const { answerContainer } = await import('../shared/app/answer-container.ts');
      return answerContainer(deps, cluster, request, signal);
    }),
});
