import { app } from '@azure/functions';
import type { InvocationContext, Timer } from '@azure/functions';
import { runTimer } from '../shared/app/run-timer.ts';

const deadlineMs = 12_000;

/** Every 15 s: renews the Lease of every node, creates a missing Node, writes its status when it changed or is old. */
app.timer('node-heartbeat', {
  schedule: '*/15 * * * * *',
  handler: (_timer: Timer, context: InvocationContext) =>
    runTimer(context, deadlineMs, async (deps, nodes, signal) => {
      const { heartbeat } = await import('../shared/app/heartbeat.ts');
      await heartbeat(deps, nodes, signal);
    }),
});
