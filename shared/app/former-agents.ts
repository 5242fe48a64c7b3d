import { describeFault } from '../core/fault.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { KeptAgents, Program } from '../ports/packaged-agent.ts';

export interface FormerAgents {
  /**
   * Keeps what is handed out now for the releases to come; once in each process, and a minute later again where it
   * failed. Whoever waits for the program is never refused for it.
   */
  keep(program: Program, log: Log): Promise<void>;
  /** Undefined: there is none. `unknown`: nobody could say. */
  get(sha256: string, log: Log): Promise<Program | undefined | 'unknown'>;
}

interface FormerAgentsConfig {
  readonly kept: () => Promise<KeptAgents | undefined>;
  readonly clock: Pick<Clock, 'monotonicMs' | 'timeout'>;
}

const timeoutMs = 5_000;
const againAfterMs = 60_000;
/** Of some megabytes each; an app that is upgraded has groups of one or two releases before. */
const inMemory = 2;

/** What was handed out under a hash is handed out as long as the installation is there: a group that starts again asks for it. */
export function createFormerAgents({ kept, clock }: FormerAgentsConfig): FormerAgents {
  let keeping: Promise<boolean> | undefined;
  let againAtMs = 0;
  const found = new Map<string, Program>();
  const put = async (program: Program, log: Log): Promise<boolean> => {
    const result = await (await kept())?.put(program, clock.timeout(timeoutMs));
    if (result === undefined || result.ok) return result !== undefined;
    log.warn('agent could not be kept for later releases', {
      sha256: program.sha256,
      fault: describeFault(result.fault),
    });
    return result.fault.kind === 'rejected';
  };
  return {
    keep: async (program, log) => {
      if (keeping === undefined && clock.monotonicMs() < againAtMs) return;
      keeping ??= put(program, log);
      if (await keeping) return;
      keeping = undefined;
      againAtMs = clock.monotonicMs() + againAfterMs;
    },
    get: async (sha256, log) => {
      const known = found.get(sha256);
      if (known !== undefined) return known;
      const agents = await kept();
      if (agents === undefined) return 'unknown';
      const result = await agents.get(sha256, clock.timeout(timeoutMs));
      if (!result.ok) {
        if (result.fault.kind === 'rejected') return undefined;
        log.warn('agents of former releases could not be asked for', { sha256, fault: describeFault(result.fault) });
        return 'unknown';
      }
      if (result.value !== undefined) remember(found, result.value);
      return result.value;
    },
  };
}

function remember(found: Map<string, Program>, program: Program): void {
  found.set(program.sha256, program);
  const [oldest] = found.keys();
  if (found.size > inMemory && oldest !== undefined) found.delete(oldest);
}
