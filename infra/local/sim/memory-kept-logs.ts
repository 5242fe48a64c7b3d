import { fail, ok } from '../../../shared/core/fault.ts';
import type { Fault, Result } from '../../../shared/core/fault.ts';
import { keptBytes } from '../../../shared/core/logs/kept-log.ts';
import type { KeptLogKey, KeptLogs } from '../../../shared/ports/kept-logs.ts';
import { noTimeLeft } from './faults/call-gate.ts';
import { formatKeptLogs, parseKeptLogs } from '../../../shared/wire/kept-log.ts';

/** Kept logs in memory, for tests. Same rules, same contract suite. */
export interface MemoryKeptLogs extends KeptLogs {
  /** The names of the groups of which something is kept. */
  readonly groups: () => readonly string[];
  /** While set, every `put` fails with it. */
  fault: Fault | undefined;
}

export function createMemoryKeptLogs(): MemoryKeptLogs {
  const kept = new Map<string, { readonly group: string; readonly text: string }>();
  const keyOf = ({ node, group }: KeptLogKey): string => `${node.cluster}/${node.node}/${group}`;
  const call = async <T>(signal: AbortSignal, act: () => Result<T>): Promise<Result<T>> =>
    signal.aborted ? noTimeLeft : act();
  const memory: MemoryKeptLogs = {
    fault: undefined,
    groups: () => [...kept.values()].map(({ group }) => group),
    put: (key, logs, signal) =>
      call(signal, () => {
        if (memory.fault !== undefined) return fail(memory.fault);
        kept.set(keyOf(key), { group: key.group, text: formatKeptLogs(logs, keptBytes) });
        return ok(undefined);
      }),
    get: (key, signal) =>
      call(signal, () => {
        const found = kept.get(keyOf(key));
        return ok(found === undefined ? undefined : parseKeptLogs(found.text));
      }),
    delete: (key, signal) =>
      call(signal, () => {
        kept.delete(keyOf(key));
        return ok(undefined);
      }),
  };
  return memory;
}
