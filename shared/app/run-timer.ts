import { withLog } from './current-log.ts';
import type { Deps, NodeDeps } from './deps.ts';
import { invocationLog } from './invocation-log.ts';
import type { InvocationLogger } from './invocation-log.ts';
import { loadDeps, problemTitle } from './load-deps.ts';

/**
 * One run of a timer over all nodes of all clusters, ended by `deadlineMs`. Bad settings, or registrations
 * that were never read, are told once per run and nothing is done: the run fails, which the portal shows.
 */
export async function runTimer(
  context: InvocationLogger,
  deadlineMs: number,
  run: (deps: Deps, nodes: readonly NodeDeps[], signal: AbortSignal) => Promise<void>,
): Promise<void> {
  await withLog(invocationLog(context), async () => {
    const loaded = await loadDeps();
    if (!loaded.ok) throw new Error(`${problemTitle[loaded.problem]}: ${loaded.message}`);
    const nodes = [...loaded.deps.clusters.values()].flatMap((cluster) => [...cluster.nodes.values()]);
    try {
      await run(loaded.deps, nodes, loaded.deps.clock.timeout(deadlineMs));
    } finally {
      await loaded.deps.telemetry.flush();
    }
  });
}
