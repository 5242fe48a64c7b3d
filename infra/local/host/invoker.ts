import { randomUUID } from 'node:crypto';
import type { HostContext } from './host-context.ts';
import type { RetryContext, TypedData } from './protocol.ts';
import type { InvocationOutcome, WorkerProcess } from './worker-process.ts';
import { defined } from '../../../shared/core/defined.ts';

export interface Invocation {
  readonly name: string;
  /** Why it runs, as the host's log says it. */
  readonly reason: string;
  readonly data: TypedData;
  readonly retryContext?: RetryContext | undefined;
}

/**
 * Runs one invocation on a worker: logs its begin and end, counts it, and enforces functionTimeout, which ends the whole
 * worker with everything else that it was doing.
 */
export async function invokeOn(
  context: HostContext,
  worker: WorkerProcess,
  invocation: Invocation,
): Promise<InvocationOutcome> {
  const { name, reason, data, retryContext } = invocation;
  const invocationId = randomUUID();
  const log = (level: 'information' | 'error', message: string): void =>
    context.logs.write({ level, category: `Function.${name}`, message, worker: 'host', pid: worker.pid, invocationId });
  log('information', `Executing 'Functions.${name}' (Reason='${reason}', Id=${invocationId})`);
  const startedMs = performance.now();
  const { functionTimeoutMs } = context.hostJson;
  const timer =
    functionTimeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          log(
            'error',
            `Timeout value of ${functionTimeoutMs} ms exceeded by function 'Functions.${name}' (Id: '${invocationId}'). Its worker is restarted.`,
          );
          worker.kill('SIGKILL');
        }, functionTimeoutMs);
  const outcome = await worker.invoke({
    type: 'invoke',
    invocationId,
    name,
    data,
    ...defined({ retryContext }),
  });
  clearTimeout(timer);
  const durationMs = Math.round(performance.now() - startedMs);
  const failed = outcome.kind !== 'succeeded';
  context.counters.add(name, failed, durationMs);
  const end = `Executed 'Functions.${name}' (${failed ? 'Failed' : 'Succeeded'}, Id=${invocationId}, Duration=${durationMs}ms)`;
  const why =
    outcome.kind === 'failed'
      ? `: ${outcome.failure.stackTrace || outcome.failure.message}`
      : outcome.kind === 'lost'
        ? ': the worker died'
        : '';
  log(failed ? 'error' : 'information', `${end}${why}`);
  return outcome;
}
