import { app } from '@azure/functions';
import type { InvocationContext, Timer } from '@azure/functions';
import { runTimer } from '../shared/app/run-timer.ts';

const deadlineMs = 45_000;

/** Every 30 s: works on the pods that are due, and every five minutes compares each node with the whole of ARM; once a minute has agents fetch files that have changed. */
app.timer('pod-sweep', {
  schedule: '*/30 * * * * *',
  handler: (_timer: Timer, context: InvocationContext) =>
    runTimer(context, deadlineMs, async (deps, nodes, signal) => {
      const [{ sweep }, { refreshFiles }] = await Promise.all([
        import('../shared/app/sweep.ts'),
        import('../shared/app/refresh-files.ts'),
      ]);
      await Promise.all([sweep(deps, nodes, { resync: false }, signal), refreshFiles(deps, nodes, signal)]);
    }),
});
