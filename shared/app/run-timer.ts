import { withLog } from './current-log.ts';
import type { Deps, NodeDeps } from './deps.ts';
import { invocationLog } from './invocation-log.ts';
import type { InvocationLogger } from './invocation-log.ts';
import { loadDeps, problemTitle } from './load-deps.ts';
import type { LoadedDeps } from './load-deps.ts';
import type { Log } from '../ports/log.ts';

type Run = (deps: Deps, nodes: readonly NodeDeps[], signal: AbortSignal) => Promise<void>;

/**
 * One run of a timer over all nodes of all clusters, ended by `deadlineMs`. Bad settings, or registrations
 * that were never read, are reported once per run and nothing is done. Whatever fails a run is a line of the app's own log:
 * what the host records of it is sampled. The run fails too, which the portal shows.
 */
export function runTimer(context: InvocationLogger, deadlineMs: number, run: Run): Promise<void> {
  const log = invocationLog(context);
  return withLog(log, () => runOnce(log, { deadlineMs, run, load: loadDeps }));
}

interface TimerRun {
  readonly deadlineMs: number;
  readonly run: Run;
  readonly load: () => Promise<LoadedDeps>;
}

/** `runTimer` with everything handed to it. */
export async function runOnce(log: Log, { deadlineMs, run, load }: TimerRun): Promise<void> {
  const loaded = await load();
  if (!loaded.ok) {
    log.warn(problemTitle[loaded.problem], { faults: loaded.message });
    throw new Error(problemTitle[loaded.problem]);
  }
  const nodes = [...loaded.deps.clusters.values()].flatMap((cluster) => [...cluster.nodes.values()]);
  try {
    await run(loaded.deps, nodes, loaded.deps.clock.timeout(deadlineMs));
  } catch (error) {
    log.warn('timer run failed on a bug', {
      error: error instanceof Error ? (error.stack ?? error.message) : 'not an Error',
    });
    throw error;
  } finally {
    await loaded.deps.telemetry.flush();
  }
}
