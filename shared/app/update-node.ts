import { ok } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import { newNodeRow } from '../core/reconcile/node-row.ts';
import type { NodeRow } from '../core/reconcile/node-row.ts';
import type { Birth, Versioned } from '../ports/state-store.ts';
import type { Deps, NodeDeps } from './deps.ts';

const mostTries = 4;

/**
 * Writes `change` into what the tables remember of a node. Timers and webhooks write the same row: on a conflict it is
 * read and changed again, so that nobody's note is lost. `change` says undefined when there is nothing to write. With
 * `birth`, what was seen holds only for the tables of that marker: after their loss nothing is written (`conflict`).
 */
export async function updateNode(
  deps: Deps,
  node: NodeDeps,
  change: (row: NodeRow) => Partial<NodeRow> | undefined,
  birth?: Birth,
): Promise<Result<void>> {
  for (let tries = 1; ; tries += 1) {
    const read = await deps.store.getNode(node.key);
    if (!read.ok) return read;
    const known = read.value?.value ?? newNodeRow();
    const changes = change(known);
    if (changes === undefined) return ok(undefined);
    const written = await write(deps, node, { row: { ...known, ...changes }, previous: read.value, birth });
    if (written.ok) return ok(undefined);
    if (written.fault.kind !== 'conflict' || tries === mostTries) return written;
  }
}

interface Write {
  readonly row: NodeRow;
  readonly previous: Versioned<NodeRow> | undefined;
  readonly birth: Birth | undefined;
}

/** A row that begins does so with its partition's birth marker: a node whose rows were removed gets none back. */
async function write(deps: Deps, node: NodeDeps, { row, previous, birth }: Write): Promise<Result<unknown>> {
  if (birth !== undefined) return deps.store.upsertNode(node.key, row, previous, birth);
  if (previous !== undefined) return deps.store.upsertNode(node.key, row, previous);
  const begun = await deps.store.getBirth(node.key);
  return begun.ok ? deps.store.upsertNode(node.key, row, previous, begun.value) : begun;
}
