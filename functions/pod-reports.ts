import { app } from '@azure/functions';

/** What agents report of their containers. Authentication: none, as nothing is taken: everybody gets the same refusal. */
app.http('pod-reports', {
  route: 'pods/{uid}/reports',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async () => {
    const { answerPodReports } = await import('../shared/app/answer-pod-reports.ts');
    return answerPodReports();
  },
});
