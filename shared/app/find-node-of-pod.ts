import { ok } from '../core/fault.ts';
import type { Fault, Result } from '../core/fault.ts';
import { nodeKeyText } from '../core/node/node-key.ts';
import type { Deps, NodeDeps } from './deps.ts';

const mostPods = 10_000;

/** By UID; a pod never changes its node. */
const known = new WeakMap<Deps['store'], Map<string, string>>();

/**
 * The node of a pod of which nothing but the UID is known: the one that has its row. Undefined: none of the registered has.
 * A fault only where a node that could not be asked may have it. Cost: one read for each registered node, and none for a pod
 * that this process found before.
 */
export async function findNodeOfPod(
  { clusters, store }: Pick<Deps, 'clusters' | 'store'>,
  uid: string,
): Promise<Result<NodeDeps | undefined>> {
  const found = known.get(store) ?? new Map<string, string>();
  known.set(store, found);
  const nodes = [...clusters.values()].flatMap((cluster) => [...cluster.nodes.values()]);
  const remembered = nodes.find(({ key }) => nodeKeyText(key) === found.get(uid));
  if (remembered !== undefined) return ok(remembered);
  const answers = await Promise.all(nodes.map(async (node) => ({ node, row: await store.getPod(node.key, uid) })));
  const owner = answers.find(({ row }) => row.ok && row.value !== undefined)?.node;
  if (owner === undefined) return firstFault(answers.map(({ row }) => row)) ?? ok(undefined);
  found.set(uid, nodeKeyText(owner.key));
  const [oldest] = found.keys();
  if (found.size > mostPods && oldest !== undefined) found.delete(oldest);
  return ok(owner);
}

const firstFault = (answers: readonly Result<unknown>[]): { readonly ok: false; readonly fault: Fault } | undefined =>
  answers.find((answer) => !answer.ok);
