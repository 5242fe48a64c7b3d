import { randomBytes, randomUUID } from 'node:crypto';
import type { JsonObject } from '../../../../shared/core/json.ts';
import type { ClusterState } from './cluster-state.ts';
import { instant, isDeleting, metaOf, nameOf, namespaceOf, omit, textAt, withMeta } from './json-access.ts';
import { decodingFault, defaultsOf, faultsOf, startOf } from './kinds.ts';
import { nodeRestriction } from './node-restriction.ts';
import {
  alreadyExists,
  badRequest,
  done,
  forbidden,
  invalid,
  methodNotAllowed,
  notFound,
  refuse,
} from './status-error.ts';
import type { StatusResult, StatusError } from './status-error.ts';
import { apiVersionOf, namespaces, qualifiedName } from './resources.ts';
import type { Resource } from './resources.ts';
import { nodeNameOf } from './user.ts';
import type { User } from './user.ts';
import { metadataFaults } from './validation.ts';

/** One request for one object, after it was authorized. */
export interface Target {
  /** Undefined: the cluster's own controllers. */
  readonly user: User | undefined;
  readonly resource: Resource;
  /** `status`, or empty. */
  readonly subresource: string;
  readonly namespace: string;
  /** Empty in a creation. */
  readonly name: string;
  /** Everything but the write is done. */
  readonly isDryRun?: boolean;
}

/** As POST. The stored object, or the server's refusal; nothing is changed then. */
export function createObject(state: ClusterState, target: Target, body: JsonObject): StatusResult<JsonObject> {
  const { resource } = target;
  if (resource.storage === 'absent') return refuse(noController(resource));
  const misfit = bodyFault(target, body);
  if (misfit !== undefined) return refuse(misfit);
  const named = withSystemMeta(state, target, body);
  const about = { kind: qualifiedName(resource), name: nameOf(named) };
  const homeless = namespaceFault(state, target, named);
  if (homeless !== undefined) return refuse(homeless);
  const started = startOf(state, resource, defaultsOf(resource, named));
  if (!started.ok) return started;
  const object = started.value;
  const node = target.user === undefined ? undefined : nodeNameOf(target.user);
  const restricted =
    node === undefined
      ? undefined
      : nodeRestriction({ node, verb: 'create', resource, subresource: '', before: undefined, after: object });
  if (restricted !== undefined) return refuse(forbidden(about, restricted));
  const faults = [...metadataFaults(resource, object), ...faultsOf(resource, object)];
  if (faults.length > 0) return refuse(invalid(kindOf(resource), about.name, faults));
  const key = { namespace: namespaceOf(object), name: about.name };
  if (state.store.get(resource, key) !== undefined) return refuse(alreadyExists(about));
  return done(target.isDryRun === true ? object : state.store.put(resource, object));
}

export const kindOf = ({ kind, group }: Resource): string => (group === '' ? kind : `${kind}.${group}`);

export const noController = ({ kind }: Resource): StatusError =>
  methodNotAllowed(
    `the embedded cluster has no controllers, so it has no ${kind}: create Pods themselves, or start a real one with npm start -- --cluster real`,
  );

/** What does not fit the path: another kind, another namespace. */
export function bodyFault({ resource, namespace, name }: Target, body: JsonObject): StatusError | undefined {
  const version = apiVersionOf(resource);
  const kind = textAt(body, 'kind') || resource.kind;
  const apiVersion = textAt(body, 'apiVersion') || version;
  if (apiVersion !== version)
    return badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${version})`,
    );
  if (kind !== resource.kind)
    return badRequest(
      `${kind} in version "${apiVersion}" cannot be handled as a ${resource.kind}: no kind "${kind}" is registered for this path`,
    );
  const undecodable = decodingFault(resource, body);
  if (undecodable !== undefined) return undecodable;
  const own = namespaceOf(body);
  if (own !== '' && own !== namespace)
    return badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
  if (name !== '' && nameOf(body) !== '' && nameOf(body) !== name)
    return badRequest(`the name of the object (${nameOf(body)}) does not match the name on the URL (${name})`);
  return undefined;
}

/** What only the server writes into metadata. */
function withSystemMeta(state: ClusterState, { resource, namespace }: Target, body: JsonObject): JsonObject {
  const given = omit(
    metaOf(body),
    'resourceVersion',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'selfLink',
    'managedFields',
  );
  const prefix = textAt(given, 'generateName');
  const name = textAt(given, 'name') || (prefix === '' ? '' : `${prefix}${suffix()}`);
  const own = resource.isNamespaced ? { name, namespace } : { name };
  return withMeta(
    { apiVersion: apiVersionOf(resource), kind: resource.kind, ...body, metadata: given },
    { ...own, uid: randomUUID(), creationTimestamp: instant(state.now()) },
  );
}

const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
const suffix = (): string => [...randomBytes(5)].map((byte) => alphabet[byte % alphabet.length]).join('');

function namespaceFault(
  state: ClusterState,
  { resource, namespace }: Target,
  object: JsonObject,
): StatusError | undefined {
  if (!resource.isNamespaced) return undefined;
  const home = state.store.get(namespaces, { namespace: '', name: namespace });
  if (home === undefined) return notFound({ kind: 'namespaces', name: namespace });
  return isDeleting(home)
    ? forbidden(
        { kind: qualifiedName(resource), name: nameOf(object) },
        `unable to create new content in namespace ${namespace} because it is being terminated`,
      )
    : undefined;
}
