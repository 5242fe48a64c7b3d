import type { JsonObject } from '../../../../shared/core/json.ts';
import type { ClusterState } from './cluster-state.ts';
import { bodyFault, createObject, kindOf, noController } from './create.ts';
import type { Target } from './create.ts';
import {
  isDeleting,
  isSame,
  metaOf,
  numberAt,
  omit,
  specOf,
  statusOf,
  textAt,
  textsAt,
  uidOf,
  versionOf,
  withMeta,
} from './json-access.ts';
import { allowsCreateOnUpdate, allowsUnconditionalUpdate, defaultsOf, faultsOf, generationOf } from './kinds.ts';
import { nodeRestriction } from './node-restriction.ts';
import { withTolerations } from './pod-admission.ts';
import { podStatusFaults } from './pod-status-rules.ts';
import { isPodShaped, podUpdateFault } from './pod-validation.ts';
import { changed, done, forbidden, invalid, notFound, refuse, uidDiffers } from './status-error.ts';
import type { FieldFault, StatusResult, StatusError } from './status-error.ts';
import { pods, qualifiedName } from './resources.ts';
import { inWholeSeconds } from './times.ts';
import { nodeNameOf } from './user.ts';
import { invalidValue, metadataFaults } from './validation.ts';
import { defined } from '../../../../shared/core/defined.ts';

/** As PUT: of the object, or of its status alone. */
export function replaceObject(state: ClusterState, target: Target, body: JsonObject): StatusResult<JsonObject> {
  const { resource, namespace, name, subresource } = target;
  if (resource.storage === 'absent') return refuse(noController(resource));
  const misfit = bodyFault(target, body);
  if (misfit !== undefined) return refuse(misfit);
  const about = { kind: qualifiedName(resource), name };
  const current = state.store.get(resource, { namespace, name });
  if (current === undefined) {
    if (!allowsCreateOnUpdate(resource) || subresource !== '') return refuse(notFound(about));
    return createObject(state, { ...target, name: '' }, withMeta(body, { name }));
  }
  const uid = uidOf(body);
  if (uid !== '' && uid !== uidOf(current)) return refuse(uidDiffers(about, uid, uidOf(current)));
  if (versionOf(body) === '' && !allowsUnconditionalUpdate(resource))
    return refuse(
      invalid(kindOf(resource), name, [invalidValue('metadata.resourceVersion', 0, 'must be specified for an update')]),
    );
  const misshapen = shapeFault(target, { ...current, status: statusOf(body) });
  return misshapen === undefined ? writeChanged(state, target, current, body) : refuse(misshapen);
}

/** A status that the real server could not even decode; what comes by the port is right by its type. */
export const shapeFault = ({ resource, subresource, name }: Target, pod: JsonObject): StatusError | undefined =>
  resource === pods && subresource === 'status' && !isPodShaped(pod)
    ? invalid(kindOf(resource), name, [
        invalidValue('status', '…', 'a member has not the type that the API reference gives it'),
      ])
    : undefined;

/**
 * Stores what `current` is to become, under the rules of every update: the resourceVersion has to match where one is
 * given, the server's own metadata stays, `status` and the rest are written apart, a change that changes nothing is no write.
 */
export function writeChanged(
  state: ClusterState,
  target: Target,
  current: JsonObject,
  wanted: JsonObject,
): StatusResult<JsonObject> {
  const { resource, name } = target;
  const about = { kind: qualifiedName(resource), name };
  const version = versionOf(wanted);
  if (version !== '' && version !== versionOf(current)) return refuse(changed(about));
  const uid = uidOf(wanted);
  if (uid !== '' && uid !== uidOf(current))
    return refuse(invalid(kindOf(resource), name, [invalidValue('metadata.uid', uid, 'field is immutable')]));
  const next =
    target.subresource === 'status' ? withStatusOf(target, current, wanted) : withRestOf(target, current, wanted);
  const node = target.user === undefined ? undefined : nodeNameOf(target.user);
  const { subresource } = target;
  const restricted =
    node === undefined
      ? undefined
      : nodeRestriction({ node, verb: 'update', resource, subresource, before: current, after: next });
  if (restricted !== undefined) return refuse(forbidden(about, restricted));
  const faults = faultsOfChange(target, current, next);
  if (faults.length > 0) return refuse(invalid(kindOf(resource), name, faults));
  return store(state, target, current, next);
}

function store(
  state: ClusterState,
  { resource, namespace, name, isDryRun }: Target,
  current: JsonObject,
  next: JsonObject,
): StatusResult<JsonObject> {
  if (isSame(current, next)) return done(current);
  if (isDryRun === true) return done(next);
  const isOver =
    isDeleting(next) &&
    textsAt(metaOf(next), 'finalizers').length === 0 &&
    (numberAt(metaOf(next), 'deletionGracePeriodSeconds') ?? 0) === 0;
  if (!isOver) return done(state.store.put(resource, next));
  state.store.remove(resource, { namespace, name });
  return done(next);
}

const serverOwned = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'generation',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'resourceVersion',
  'generateName',
];

/** Metadata as somebody wants it, but for the server's own members. */
function mergedMeta(current: JsonObject, wanted: JsonObject): JsonObject {
  const own = Object.fromEntries(Object.entries(metaOf(current)).filter(([member]) => serverOwned.includes(member)));
  return { ...omit(metaOf(wanted), ...serverOwned, 'managedFields', 'selfLink'), ...own };
}

function withStatusOf({ resource }: Target, current: JsonObject, wanted: JsonObject): JsonObject {
  const owners = metaOf(current)['ownerReferences'];
  const metadata = {
    ...omit(mergedMeta(current, wanted), 'ownerReferences'),
    ...defined({ ownerReferences: owners }),
  };
  const next = { ...current, metadata, status: inWholeSeconds(statusOf(wanted)) };
  // A pod's defaults are all of its spec, and that stays.
  return resource === pods ? next : defaultsOf(resource, next);
}

function withRestOf({ resource }: Target, current: JsonObject, wanted: JsonObject): JsonObject {
  const status = current['status'];
  const kept = resource.hasStatus ? { ...omit(wanted, 'status'), ...defined({ status }) } : wanted;
  const identity = { apiVersion: current['apiVersion'], kind: current['kind'] };
  const defaulted = defaultsOf(resource, { ...kept, ...identity, metadata: mergedMeta(current, wanted) });
  if (resource !== pods) return defaulted;
  const isTolerant = isSame(specOf(current)['tolerations'], specOf(defaulted)['tolerations']);
  const next = isTolerant ? defaulted : withTolerations(defaulted);
  if (isSame(specOf(current), specOf(next))) return next;
  return withMeta(next, { generation: generationOf(current) + 1 });
}

function faultsOfChange(
  { resource, subresource }: Target,
  current: JsonObject,
  next: JsonObject,
): readonly FieldFault[] {
  if (subresource === 'status') return resource === pods ? podStatusFaults(current, next) : [];
  const fixed = resource === pods ? podUpdateFault(defaultsOf(resource, current), next) : immutableFault(current, next);
  return [...metadataFaults(resource, next), ...faultsOf(resource, next), ...(fixed === undefined ? [] : [fixed])];
}

/** ConfigMaps and Secrets that say so, roles of bindings, a Service's address. */
function immutableFault(current: JsonObject, next: JsonObject): FieldFault | undefined {
  if (current['immutable'] === true && !isSame([current['data'] ?? null], [next['data'] ?? null]))
    return {
      field: 'data',
      reason: 'FieldValueForbidden',
      message: 'Forbidden: field is immutable when `immutable` is set',
    };
  if (!isSame(current['roleRef'], next['roleRef'])) return invalidValue('roleRef', '…', 'cannot change roleRef');
  const address = textAt(specOf(current), 'clusterIP');
  return address !== '' && textAt(specOf(next), 'clusterIP') !== address && textAt(current, 'kind') === 'Service'
    ? invalidValue('spec.clusterIP', textAt(specOf(next), 'clusterIP'), 'field is immutable')
    : undefined;
}
