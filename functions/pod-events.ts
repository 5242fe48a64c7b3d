import { app } from '@azure/functions';
import type { HttpRequest, InvocationContext } from '@azure/functions';
import { runHttp } from '../shared/app/run-http.ts';

const deadlineMs = 18_000;

/** The relay's webhook (docs/architecture.md, The walk of one pod): keys of pods that changed. Authentication: the relay's ServiceAccount token, by TokenReview. */
app.http('pod-events', {
  route: 'clusters/{cluster}/pod-events',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: (request: HttpRequest, context: InvocationContext) =>
    runHttp(request, context, deadlineMs, async (deps, cluster, signal) => {
      const { answerPodEvents } = await import('../shared/app/answer-pod-events.ts');
      return answerPodEvents(deps, cluster, request, signal);
    }),
});
