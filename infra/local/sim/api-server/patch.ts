import { isJsonObject } from '../../../../shared/core/json.ts';
import type { Json, JsonObject } from '../../../../shared/core/json.ts';
import { applyConfiguration } from './apply-patch.ts';
import type { ClusterState } from './cluster-state.ts';
import { bodyFault, createObject, noController } from './create.ts';
import type { Target } from './create.ts';
import { metaOf, omit, statusOf, uidOf, withMeta } from './json-access.ts';
import { badRequest, done, notFound, refuse, unsupportedMediaType } from './status-error.ts';
import type { StatusResult } from './status-error.ts';
import { qualifiedName } from './resources.ts';
import { jsonMergePatch, mergePatch } from './strategic-merge.ts';
import { shapeFault, writeChanged } from './update.ts';
import { defined } from '../../../../shared/core/defined.ts';

export interface Patch {
  /** The media type, without parameters. */
  readonly type: string;
  readonly body: Json;
  /** Who applies, of a server-side apply. */
  readonly fieldManager: string;
}

/** As PATCH. A patch without a resourceVersion is applied to whatever is there. */
export function patchObject(state: ClusterState, target: Target, patch: Patch): StatusResult<JsonObject> {
  const { resource, namespace, name } = target;
  if (resource.storage === 'absent') return refuse(noController(resource));
  const current = state.store.get(resource, { namespace, name });
  if (patch.type === 'application/apply-patch+yaml') return apply(state, target, patch, current);
  if (current === undefined) return refuse(notFound({ kind: qualifiedName(resource), name }));
  const wanted = patched(current, patch);
  if (!wanted.ok) return wanted;
  const misshapen = shapeFault(target, { ...current, status: statusOf(wanted.value) });
  return misshapen === undefined ? writeChanged(state, target, current, wanted.value) : refuse(misshapen);
}

function patched(current: JsonObject, { type, body }: Patch): StatusResult<JsonObject> {
  switch (type) {
    case 'application/strategic-merge-patch+json':
    case 'application/merge-patch+json': {
      if (!isJsonObject(body)) return refuse(badRequest('the patch is no object'));
      return done(type.includes('strategic') ? mergePatch(current, body) : jsonMergePatch(current, body));
    }
    default:
      return refuse(
        unsupportedMediaType(
          `the body of the request was in an unknown format - accepted media types include: application/merge-patch+json, application/apply-patch+yaml, application/strategic-merge-patch+json; a real cluster takes more: npm start -- --cluster real`,
        ),
      );
  }
}

function apply(
  state: ClusterState,
  target: Target,
  { body, fieldManager }: Patch,
  current: JsonObject | undefined,
): StatusResult<JsonObject> {
  if (!isJsonObject(body)) return refuse(badRequest('the configuration is no object'));
  if (fieldManager === '')
    return refuse(
      badRequest('PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'),
    );
  const misfit = bodyFault(target, body);
  if (misfit !== undefined) return refuse(misfit);
  const named = withMeta(body, {
    name: target.name,
    ...(target.namespace === '' ? {} : { namespace: target.namespace }),
  });
  const written =
    current === undefined
      ? createObject(state, { ...target, name: '' }, named)
      : writeChanged(state, target, current, configured(state, current, { wanted: named, fieldManager }));
  if (written.ok && target.isDryRun !== true)
    state.applied.set(managerKey(written.value, fieldManager), withoutIdentity(named));
  return written;
}

function configured(
  state: ClusterState,
  current: JsonObject,
  { wanted, fieldManager }: { readonly wanted: JsonObject; readonly fieldManager: string },
): JsonObject {
  const previous = state.applied.get(managerKey(current, fieldManager));
  const applied = applyConfiguration(withoutIdentity(current), previous, withoutIdentity(wanted));
  const { uid, resourceVersion } = metaOf(wanted);
  const preconditions = {
    ...defined({ uid, resourceVersion }),
  };
  return withMeta({ ...applied, apiVersion: current['apiVersion'], kind: current['kind'] }, preconditions);
}

const managerKey = (object: JsonObject, manager: string): string => `${uidOf(object)}/${manager}`;

/** Of the configuration, what a manager can own. */
const withoutIdentity = (object: JsonObject): JsonObject => ({
  ...omit(object, 'apiVersion', 'kind'),
  metadata: omit(metaOf(object), 'name', 'namespace', 'uid', 'resourceVersion', 'creationTimestamp', 'managedFields'),
});
