import { app } from '@azure/functions';
import type { HttpRequest, InvocationContext } from '@azure/functions';
import { withLog } from '../shared/app/current-log.ts';
import { invocationLog } from '../shared/app/invocation-log.ts';
import { loadDeps } from '../shared/app/load-deps.ts';

/** Less than an agent waits for an answer. */
const deadlineMs = 9_000;

/**
 * What agents report of their containers. Authentication: a signature over the body with the key of one PUT of one pod, which
 * may speak for that pod alone.
 */
app.http('pod-reports', {
  route: 'pods/{uid}/reports',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async (request: HttpRequest, context: InvocationContext) => {
    const { answerPodReports } = await import('../shared/app/answer-pod-reports.ts');
    const log = invocationLog(context);
    return withLog(log, () => answerPodReports({ request, log, load: loadDeps, deadlineMs }));
  },
});
