import type { AgentKeyName } from '../core/agent/access.ts';
import { isSameKey } from '../core/agent/access.ts';
import { liveMemory } from '../core/agent/files/file-memory.ts';
import type { FileMemory } from '../core/agent/files/file-memory.ts';
import { describeFault } from '../core/fault.ts';
import type { Deps, NodeDeps } from './deps.ts';

/** How often somebody else may write the row meanwhile. */
const mostConflicts = 4;

/**
 * Writes into a pod's row what its agents have now, beside whoever works on the pod. As far as it can: what is not written
 * is given once more.
 */
export async function rememberGiven(
  deps: Pick<Deps, 'store' | 'log'>,
  node: NodeDeps,
  given: {
    readonly uid: string;
    /** Of the PUT that it is true of. */
    readonly key: AgentKeyName;
    readonly change: (memory: FileMemory) => FileMemory;
  },
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const found = await deps.store.getPod(node.key, given.uid);
    const row = found.ok ? found.value : undefined;
    const memory = liveMemory(row?.value.files);
    if (row === undefined || memory === undefined || !isSameKey(memory.key, given.key)) return;
    const files = given.change(memory);
    if (JSON.stringify(files) === JSON.stringify(memory)) return;
    const written = await deps.store.upsertPod(node.key, { ...row.value, files }, { previous: row });
    if (written.ok) return;
    if (written.fault.kind === 'conflict' && attempt < mostConflicts) continue;
    deps.log.warn('what an agent was given could not be remembered', {
      uid: given.uid,
      fault: describeFault(written.fault),
    });
    return;
  }
}
