import { app } from '@azure/functions';
import type { InvocationContext, Timer } from '@azure/functions';
import { runTimer } from '../shared/app/run-timer.ts';

const deadlineMs = 45_000;

/** Every 30 s: works on the pods that are due, and every five minutes compares each node with the whole of ARM. */
app.timer('pod-sweep', {
  schedule: '*/30 * * * * *',
  handler: (_timer: Timer, context: InvocationContext) =>
    runTimer(context, deadlineMs, async (deps, nodes, signal) => {
      const { sweep } = await import('../shared/app/sweep.ts');
      await sweep(deps, nodes, { resync: false }, signal);
    }),
});
