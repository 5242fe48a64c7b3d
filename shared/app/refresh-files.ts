import pLimit from 'p-limit';
import { dueContainers, followsPod, isUnknown, isWatched, watchedObjects } from '../core/agent/files/refresh-plan.ts';
import type { SeenVersion, WatchedRow } from '../core/agent/files/refresh-plan.ts';
import { objectKey } from '../core/agent/files/volume-sources.ts';
import type { VolumeObject } from '../core/agent/files/volume-sources.ts';
import { describeFault, ok } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import type { Pod } from '../core/kubernetes/pod.ts';
import { nodeKeyText } from '../core/node/node-key.ts';
import { within } from './deps.ts';
import type { Deps, NodeDeps } from './deps.ts';
import { rebuildFiles } from './rebuild-files.ts';
import { wakeAgents } from './wake-agents.ts';
import type { AgentToWake } from './wake-agents.ts';

/** A change arrives within two minutes: it is found within one, by a timer that may be late. */
const everyMs = 50_000;
const longestMs = 30_000;
const looksAtOnce = 6;
/** Of one node and run; what is left is the next run's. */
const mostLooks = 600;
/** Rows that lost what they knew, of one node and run; each costs a read of ARM. */
const mostUnknown = 10;
/** So few pods are read one by one. */
const fewPods = 5;

/** When this process last looked, monotonic ms. */
const lookedAt = new WeakMap<Deps['store'], number>();
/** What this process read of pods, by UID: a spec does not change. */
const knownPods = new WeakMap<NodeDeps['api'], Map<string, Pod>>();
/** Where the next run begins, so that no object is left out for ever. */
const turns = new WeakMap<NodeDeps['api'], number>();

/**
 * Has the agents of all nodes fetch the volumes whose ConfigMaps, Secrets, labels or annotations have changed, and those with
 * tokens at four fifths of their life. Once in a minute, whoever calls it. Each object is looked at once for all pods of a
 * node that name it, without its content. Where no pod has such a volume this is one read of the rows; an agent is woken
 * within the budget of streams, and again with a back-off while it does not ask.
 */
export async function refreshFiles(deps: Deps, nodes: readonly NodeDeps[], signal: AbortSignal): Promise<void> {
  const now = deps.clock.monotonicMs();
  const last = lookedAt.get(deps.store);
  if (last !== undefined && now - last < everyMs) return;
  lookedAt.set(deps.store, now);
  await Promise.all(nodes.map((node) => refreshNode(deps, node, within(deps, signal, longestMs))));
}

async function refreshNode(deps: Deps, node: NodeDeps, signal: AbortSignal): Promise<void> {
  const now = await deps.store.now();
  const rows = now.ok ? await deps.store.listPods(node.key) : now;
  if (!now.ok || !rows.ok) {
    const fault = rows.ok ? '' : describeFault(rows.fault);
    deps.log.warn('rows could not be read', { node: nodeKeyText(node.key), fault });
    return;
  }
  const all = rows.value.map(({ value }) => value);
  for (const row of all.filter(isUnknown).slice(0, mostUnknown)) await rebuildFiles(deps, node, row, signal);
  const watched = all.filter(isWatched);
  if (watched.length === 0) return void knownPods.delete(node.api);
  const pods = await readPods(node, watched, signal);
  if (!pods.ok) {
    deps.log.warn('pods with live volumes could not be read', {
      node: nodeKeyText(node.key),
      fault: describeFault(pods.fault),
    });
    return;
  }
  const live = watched.flatMap((row) => {
    const pod = pods.value.get(row.uid);
    return pod === undefined ? [] : [{ row, pod }];
  });
  const versions = await readVersions(node, live, signal);
  const due = live.flatMap(({ row, pod }): readonly AgentToWake[] => {
    const versionOf = (object: VolumeObject): SeenVersion =>
      versions.get(`${row.namespace}/${objectKey(object)}`) ?? { kind: 'unknown' };
    return dueContainers(pod, row.files, { versionOf, now: now.value }).map(({ container, why }) => ({
      group: row.group,
      container,
      why,
    }));
  });
  await wakeAgents(deps, node, due, signal);
}

/** Those of the rows, by UID: as they are now where something of the pod itself is in its files. */
async function readPods(
  node: NodeDeps,
  rows: readonly WatchedRow[],
  signal: AbortSignal,
): Promise<Result<ReadonlyMap<string, Pod>>> {
  const before = knownPods.get(node.api) ?? new Map<string, Pod>();
  const isToRead = ({ uid, files }: WatchedRow): boolean => {
    const known = before.get(uid);
    return known === undefined || followsPod(known, files);
  };
  const missing = rows.filter(isToRead);
  const known = new Map(rows.flatMap(({ uid }) => [[uid, before.get(uid)] as const]));
  if (missing.length > fewPods) {
    const listed = await node.api.listPods(signal);
    if (!listed.ok) return listed;
    const all = new Map(listed.value.map((pod) => [pod.metadata.uid, pod]));
    for (const { uid } of rows) known.set(uid, all.get(uid));
  } else
    for (const row of missing) {
      const pod = await node.api.getPod(row, signal);
      if (!pod.ok) return pod;
      known.set(row.uid, pod.value?.metadata.uid === row.uid ? pod.value : undefined);
    }
  const found = new Map([...known].flatMap(([uid, pod]) => (pod === undefined ? [] : [[uid, pod] as const])));
  knownPods.set(node.api, found);
  return ok(found);
}

/** The versions of all objects that the pods name, each looked at once; by namespace and `objectKey`. */
async function readVersions(
  node: NodeDeps,
  live: readonly { readonly row: WatchedRow; readonly pod: Pod }[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, SeenVersion>> {
  const objects = new Map(
    live.flatMap(({ row: { namespace, files }, pod }) =>
      watchedObjects(pod, files).map(
        (object) => [`${namespace}/${objectKey(object)}`, { ...object, namespace }] as const,
      ),
    ),
  );
  const limit = pLimit(looksAtOnce);
  const looks = turned(node, [...objects]).map(([key, { kind, namespace, name }]) =>
    limit(async () => {
      const version = await node.api.getReferenceVersion(kind, { namespace, name }, signal);
      return [key, seenVersion(version)] as const;
    }),
  );
  return new Map(await Promise.all(looks));
}

function seenVersion(version: Result<string>): SeenVersion {
  if (version.ok) return { kind: 'seen', version: version.value };
  return version.fault.kind === 'not-found' ? { kind: 'seen', version: undefined } : { kind: 'unknown' };
}

/** As many as one run looks at; where there are more, the next run begins behind them. */
function turned<T>(node: NodeDeps, all: readonly T[]): readonly T[] {
  if (all.length <= mostLooks) return all;
  const start = (turns.get(node.api) ?? 0) % all.length;
  turns.set(node.api, start + mostLooks);
  return [...all.slice(start), ...all.slice(0, start)].slice(0, mostLooks);
}
