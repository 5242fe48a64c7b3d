import { ok } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import { newNodeRow } from '../core/reconcile/node-row.ts';
import type { NodeRow } from '../core/reconcile/node-row.ts';
import type { Versioned } from '../ports/state-store.ts';
import type { Deps, NodeDeps } from './deps.ts';

const mostTries = 4;

/**
 * Writes `change` into what the tables remember of a node. Timers and webhooks write the same row: on a conflict it is
 * read and changed again, so that nobody's note is lost. `change` says undefined when there is nothing to write.
 */
export async function updateNode(
  deps: Deps,
  node: NodeDeps,
  change: (row: NodeRow) => Partial<NodeRow> | undefined,
): Promise<Result<void>> {
  for (let tries = 1; ; tries += 1) {
    const read = await deps.store.getNode(node.key);
    if (!read.ok) return read;
    const known = read.value?.value ?? newNodeRow();
    const changes = change(known);
    if (changes === undefined) return ok(undefined);
    const written = await write(deps, node, { ...known, ...changes }, read.value);
    if (written.ok) return ok(undefined);
    if (written.fault.kind !== 'conflict' || tries === mostTries) return written;
  }
}

/** A row that begins does so with its partition's birth marker: a node whose rows were removed gets none back. */
async function write(
  deps: Deps,
  node: NodeDeps,
  row: NodeRow,
  previous: Versioned<NodeRow> | undefined,
): Promise<Result<unknown>> {
  if (previous !== undefined) return deps.store.upsertNode(node.key, row, previous);
  const birth = await deps.store.getBirth(node.key);
  return birth.ok ? deps.store.upsertNode(node.key, row, previous, birth.value) : birth;
}
