import type { JsonObject } from '../../../../shared/core/json.ts';
import type { ClusterState } from './cluster-state.ts';
import { noController } from './create.ts';
import type { Target } from './create.ts';
import {
  instant,
  isDeleting,
  metaOf,
  numberAt,
  objectAt,
  specOf,
  statusOf,
  textAt,
  textsAt,
  uidOf,
  versionOf,
  withMeta,
} from './json-access.ts';
import { generationOf } from './kinds.ts';
import { nodeRestriction } from './node-restriction.ts';
import { changed, done, forbidden, notFound, refuse, uidDiffers } from './status-error.ts';
import type { StatusResult } from './status-error.ts';
import { namespaces, pods, qualifiedName } from './resources.ts';
import { nodeNameOf } from './user.ts';

/** `meta/v1.DeleteOptions`, as far as they are known here. */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export function parseDeleteOptions(
  body: JsonObject | undefined,
  query: { readonly gracePeriodSeconds?: string },
): DeleteOptions {
  const given = body ?? {};
  const preconditions = objectAt(given, 'preconditions');
  const seconds =
    numberAt(given, 'gracePeriodSeconds') ??
    (query.gracePeriodSeconds === undefined ? undefined : Number(query.gracePeriodSeconds));
  const uid = textAt(preconditions, 'uid');
  const resourceVersion = textAt(preconditions, 'resourceVersion');
  return {
    ...(seconds === undefined || Number.isNaN(seconds) ? {} : { gracePeriodSeconds: seconds }),
    ...(uid === '' ? {} : { uid }),
    ...(resourceVersion === '' ? {} : { resourceVersion }),
  };
}

const protectedNamespaces = new Set(['default', 'kube-system', 'kube-public']);

/** What became of a deletion: the object as it now is, or last was. */
export interface Deletion {
  readonly object: JsonObject;
  readonly isGone: boolean;
}

/** As DELETE: at once, or gracefully (a bound pod, a namespace, whatever has finalizers). */
export function deleteObject(state: ClusterState, target: Target, options: DeleteOptions): StatusResult<Deletion> {
  const { resource, namespace, name, user } = target;
  if (resource.storage === 'absent') return refuse(noController(resource));
  const about = { kind: qualifiedName(resource), name };
  const current = state.store.get(resource, { namespace, name });
  if (current === undefined) return refuse(notFound(about));
  // The preconditions first: what is another object by now is nobody's to judge.
  if (options.uid !== undefined && options.uid !== uidOf(current))
    return refuse(uidDiffers(about, options.uid, uidOf(current)));
  if (options.resourceVersion !== undefined && options.resourceVersion !== versionOf(current))
    return refuse(changed(about));
  const node = user === undefined ? undefined : nodeNameOf(user);
  const restricted =
    node === undefined
      ? undefined
      : nodeRestriction({ node, verb: 'delete', resource, subresource: '', before: current, after: undefined });
  if (restricted !== undefined) return refuse(forbidden(about, restricted));
  if (resource === namespaces && protectedNamespaces.has(name))
    return refuse(forbidden(about, 'this namespace may not be deleted'));
  return done(begin(state, target, current, options));
}

function begin(state: ClusterState, target: Target, current: JsonObject, options: DeleteOptions): Deletion {
  const { resource, isDryRun = false } = target;
  if (resource === namespaces) return terminating(state, target, current);
  const deadline = resource === pods ? podDeadline(state, current, options.gracePeriodSeconds) : atOnce(state, current);
  const isHeld = textsAt(metaOf(current), 'finalizers').length > 0;
  const isGone = deadline.seconds === 0 && !isHeld;
  const marked = deadline.isNew ? withDeadline(current, deadline) : current;
  if (isDryRun) return { object: marked, isGone };
  // A pod shows its deadline before it goes, even one that is over at once.
  const shown = deadline.isNew && (resource === pods || !isGone) ? state.store.put(resource, marked) : marked;
  return isGone ? { object: state.store.remove(resource, keyOf(target)) ?? shown, isGone } : { object: shown, isGone };
}

const keyOf = ({ namespace, name }: Target) => ({ namespace, name });

interface Deadline {
  readonly seconds: number;
  readonly at: number;
  /** False: the object has it already. */
  readonly isNew: boolean;
}

const withDeadline = (current: JsonObject, { at, seconds }: Deadline): JsonObject =>
  withMeta(current, {
    deletionTimestamp: instant(at),
    deletionGracePeriodSeconds: seconds,
    ...(generationOf(current) > 0 && !isDeleting(current) ? { generation: generationOf(current) + 1 } : {}),
  });

const atOnce = (state: ClusterState, current: JsonObject): Deadline => ({
  seconds: 0,
  at: state.now(),
  isNew: !isDeleting(current),
});

/** A first deadline, or an earlier one (`rest.BeforeDelete`): what is longer, or not said, changes nothing. */
function podDeadline(state: ClusterState, pod: JsonObject, asked: number | undefined): Deadline {
  const before = numberAt(metaOf(pod), 'deletionGracePeriodSeconds');
  if (!isDeleting(pod) || before === undefined) {
    const seconds = graceOf(pod, asked);
    return { seconds, at: state.now() + seconds * 1000, isNew: true };
  }
  const at = Date.parse(textAt(metaOf(pod), 'deletionTimestamp'));
  if (asked === undefined || asked >= before) return { seconds: before, at, isNew: false };
  const seconds = asked < 0 ? 1 : asked;
  return { seconds, at: at - (before - seconds) * 1000, isNew: true };
}

/** What is bound nowhere or has ended has nothing to wait for (pod strategy, `CheckGracefulDelete`). */
function graceOf(pod: JsonObject, asked: number | undefined): number {
  const spec = specOf(pod);
  const phase = textAt(statusOf(pod), 'phase');
  if (textAt(spec, 'nodeName') === '' || phase === 'Succeeded' || phase === 'Failed') return 0;
  const seconds = asked ?? numberAt(spec, 'terminationGracePeriodSeconds') ?? 30;
  return seconds < 0 ? 1 : seconds;
}

/** A namespace goes when the namespace controller has emptied it. */
function terminating(state: ClusterState, target: Target, current: JsonObject): Deletion {
  if (isDeleting(current)) return { object: current, isGone: false };
  const marked = withMeta(
    { ...current, status: { ...statusOf(current), phase: 'Terminating' } },
    { deletionTimestamp: instant(state.now()), deletionGracePeriodSeconds: 0 },
  );
  return { object: target.isDryRun === true ? marked : state.store.put(namespaces, marked), isGone: false };
}
