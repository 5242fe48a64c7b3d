import { readAgentKey } from '../core/agent/agent-tags.ts';
import { rebuiltMemory } from '../core/agent/files/live-files.ts';
import type { KnownFiles } from '../core/agent/files/file-memory.ts';
import { describeFault, ok } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import { isOwnedBy } from '../core/group/identity.ts';
import type { Pod } from '../core/kubernetes/pod.ts';
import { listReferences } from '../core/pod/references.ts';
import { inspectWhole } from '../core/pod/translate.ts';
import type { ResolvedReferences } from '../core/pod/translation.ts';
import type { PodRow } from '../core/reconcile/pod-row.ts';
import type { Deps, NodeDeps } from './deps.ts';
import { resolvePod } from './resolve-pod.ts';

/**
 * Finds out again what a row has lost: which volumes of a pod's group its agents change, by the group's tags and by what the
 * pod would be made of now. Cost: one read of the group, which waits for others; where it has agents also what a PUT reads.
 */
export async function rebuildFiles(deps: Deps, node: NodeDeps, row: PodRow, signal: AbortSignal): Promise<void> {
  const files = await readFiles(deps, node, row, signal);
  if (!files.ok) {
    deps.log.warn('live volumes could not be found out', { uid: row.uid, fault: describeFault(files.fault) });
    return;
  }
  const found = await deps.store.getPod(node.key, row.uid);
  const current = found.ok ? found.value : undefined;
  // Somebody has made another group meanwhile, or nobody the row.
  if (files.value === undefined || current === undefined || current.value.files !== undefined) return;
  // On a conflict the next run does it again.
  await deps.store.upsertPod(node.key, { ...current.value, files: files.value }, { previous: current });
}

/** Undefined: the pod or its group is not there. */
async function readFiles(
  deps: Deps,
  node: NodeDeps,
  row: PodRow,
  signal: AbortSignal,
): Promise<Result<KnownFiles | undefined>> {
  const group = await deps.groups.get(row.group, signal, { canWait: true });
  if (!group.ok) return group.fault.kind === 'not-found' ? ok(undefined) : group;
  const owner = { installation: node.facts.installation, ...node.key, uid: row.uid };
  const key = isOwnedBy(group.value.tags, owner) ? readAgentKey(group.value.tags) : undefined;
  if (key === undefined) return ok('none');
  const pod = await node.api.getPod(row, signal);
  if (!pod.ok || pod.value?.metadata.uid !== row.uid) return pod.ok ? ok(undefined) : pod;
  const resolved = await readLast(deps, node, pod.value, signal);
  if (!resolved.ok) return resolved;
  const { scope } = inspectWhole(pod.value, node.facts, resolved.value);
  return ok(rebuiltMemory(scope, key));
}

/** What decides which volumes are live; no tokens, and no claims. */
async function readLast(
  deps: Deps,
  node: NodeDeps,
  pod: Pod,
  signal: AbortSignal,
): Promise<Result<ResolvedReferences>> {
  const now = await deps.store.now();
  if (!now.ok) return now;
  const { servicesSecret: _, ...all } = listReferences(pod, node.facts);
  const references = { ...all, tokens: [], claims: [], services: false };
  return resolvePod(deps, node, { pod, references, now: () => now.value }, signal);
}
