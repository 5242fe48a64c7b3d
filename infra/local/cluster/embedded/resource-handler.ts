/** A request for a resource: authorized, then done by the rules of the API server. */
import { authorize } from '../../sim/api-server/authorization.ts';
import type { ClusterState } from '../../sim/api-server/cluster-state.ts';
import { createObject, noController } from '../../sim/api-server/create.ts';
import type { Target } from '../../sim/api-server/create.ts';
import { deleteObject, parseDeleteOptions } from '../../sim/api-server/delete.ts';
import type { Deletion } from '../../sim/api-server/delete.ts';
import { nameOf, namespaceOf, uidOf } from '../../sim/api-server/json-access.ts';
import { selected } from '../../sim/api-server/list.ts';
import { patchObject } from '../../sim/api-server/patch.ts';
import { badRequest, forbidden, methodNotAllowed } from '../../sim/api-server/status-error.ts';
import { namespaces, pods, qualifiedName, serviceAccounts } from '../../sim/api-server/resources.ts';
import type { Resource } from '../../sim/api-server/resources.ts';
import { answerReview } from '../../sim/api-server/reviews.ts';
import { everything, parseSelection } from '../../sim/api-server/selectors.ts';
import { bindPod } from '../../sim/api-server/subresources.ts';
import { requestToken } from '../../sim/api-server/tokens.ts';
import { replaceObject } from '../../sim/api-server/update.ts';
import type { JsonObject } from '../../../../shared/core/json.ts';
import { answerOf, json, refused } from './answer.ts';
import type { Answer } from './answer.ts';
import { readResource } from './read-handler.ts';
import { parseObject, parseText } from './request-body.ts';
import { notServed } from './resource-call.ts';
import type { ResourceCall } from './resource-call.ts';
import type { Serving } from './serving.ts';

export function handleResource(serving: Serving, call: ResourceCall): Answer | Promise<Answer> {
  const { path, query, user } = call;
  const verb = verbOf(call);
  if (verb === undefined)
    return refused(methodNotAllowed(`the server does not allow this method on the requested resource`));
  const parsed = parseSelection(path.resource, query.get('fieldSelector') ?? '', query.get('labelSelector') ?? '');
  if (!parsed.ok) return refused(parsed.refusal);
  const state = serving.state();
  const { resource, subresource, namespace, name } = path;
  const decision = authorize(state, user, {
    verb,
    group: resource.group,
    resource: resource.plural,
    subresource,
    // A namespace's own name is where its rights are.
    namespace: resource === namespaces ? name : namespace,
    name,
    fields: parsed.value.fields,
  });
  if (!decision.allowed) return refused(forbidden({ kind: qualifiedName(resource), name }, decision.why));
  switch (verb) {
    case 'get':
    case 'list':
    case 'watch':
      return readResource(serving, { ...call, verb, selection: parsed.value });
    case 'deletecollection':
      return deleteCollection(state, call);
    default:
      return write(state, call);
  }
}

type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

function verbOf({ method, path, query }: ResourceCall): Verb | undefined {
  const isOne = path.name !== '';
  switch (method) {
    case 'GET':
      if (['true', '1'].includes(query.get('watch') ?? '')) return 'watch';
      return isOne ? 'get' : 'list';
    case 'POST':
      return isOne === (path.subresource === '') ? undefined : 'create';
    case 'PUT':
      return isOne ? 'update' : undefined;
    case 'PATCH':
      return isOne ? 'patch' : undefined;
    case 'DELETE':
      return isOne ? 'delete' : 'deletecollection';
    default:
      return undefined;
  }
}

function targetOf({ user, path, query }: ResourceCall): Target {
  const { resource, subresource, namespace, name } = path;
  return { user, resource, subresource, namespace, name, isDryRun: query.getAll('dryRun').includes('All') };
}

/** What can be created below an object. */
const answered = new Set(['binding', 'token', 'status', 'finalize', '']);

function write(state: ClusterState, call: ResourceCall): Answer {
  const { resource, subresource } = call.path;
  // Before the body, which kubectl sends in forms that only the kinds that are here are read in.
  if (resource.storage === 'absent' && call.method !== 'DELETE') return refused(noController(resource));
  if (!answered.has(subresource)) return refused(notServed(resource, subresource));
  if (call.method === 'PATCH') return patch(state, call);
  const isEmpty = call.body.length === 0;
  if (isEmpty)
    return call.method === 'DELETE'
      ? remove(state, call, undefined)
      : refused(badRequest('the body of the request is empty'));
  const body = parseObject(call.body, call.mediaType);
  if (!body.ok) return refused(body.refusal);
  switch (call.method) {
    case 'POST':
      return create(state, call, body.value);
    case 'PUT':
      return replace(state, call, body.value);
    default:
      return remove(state, call, body.value);
  }
}

function replace(state: ClusterState, call: ResourceCall, body: JsonObject): Answer {
  const status = createdOr200(state, call);
  return answerOf(replaceObject(state, targetOf(call), body), status);
}

function patch(state: ClusterState, call: ResourceCall): Answer {
  const body = parseText(call.body);
  if (!body.ok) return refused(body.refusal);
  const status = createdOr200(state, call);
  const fieldManager = call.query.get('fieldManager') ?? '';
  return answerOf(patchObject(state, targetOf(call), { type: call.mediaType, body: body.value, fieldManager }), status);
}

/** To be asked before the write. */
const createdOr200 = (state: ClusterState, { path }: ResourceCall): number =>
  state.store.get(path.resource, path) === undefined ? 201 : 200;

function create(state: ClusterState, call: ResourceCall, body: JsonObject): Answer {
  const { user, known, path } = call;
  const { resource, subresource } = path;
  const target = targetOf(call);
  if (resource.storage === 'review') return answerOf(answerReview(state, { user, resource, known }, body), 201);
  if (subresource === '') return answerOf(createObject(state, target, body), 201);
  if (resource === pods && subresource === 'binding') return answerOf(bindPod(state, target, body), 201);
  if (resource === serviceAccounts && subresource === 'token')
    return answerOf(requestToken(state, { user, namespace: path.namespace, name: path.name }, body), 201);
  return refused(notServed(resource, subresource));
}

function remove(state: ClusterState, call: ResourceCall, body: JsonObject | undefined): Answer {
  const { path, query } = call;
  if (path.subresource !== '')
    return refused(methodNotAllowed('the server does not allow this method on the requested resource'));
  const seconds = query.get('gracePeriodSeconds');
  const options = parseDeleteOptions(body, seconds === null ? {} : { gracePeriodSeconds: seconds });
  const deleted = deleteObject(state, targetOf(call), options);
  return deleted.ok ? json(deletionBody(path.resource, deleted.value)) : refused(deleted.refusal);
}

/** Pods and namespaces, and whatever is still there, are shown; of the rest it is said that it is gone. */
function deletionBody(resource: Resource, { object, isGone }: Deletion): JsonObject {
  if (!isGone || resource === pods || resource === namespaces) return object;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: nameOf(object),
      kind: resource.plural,
      ...(resource.group === '' ? {} : { group: resource.group }),
      uid: uidOf(object),
    },
  };
}

function deleteCollection(state: ClusterState, call: ResourceCall): Answer {
  const { path, query } = call;
  const parsed = parseSelection(path.resource, query.get('fieldSelector') ?? '', query.get('labelSelector') ?? '');
  const selection = parsed.ok ? parsed.value : everything;
  const body = call.body.length === 0 ? undefined : parseObject(call.body, call.mediaType);
  if (body !== undefined && !body.ok) return refused(body.refusal);
  const items = selected(state, { resource: path.resource, namespace: path.namespace, selection });
  for (const item of items) {
    const target = { ...targetOf(call), namespace: namespaceOf(item), name: nameOf(item) };
    const deleted = deleteObject(state, target, parseDeleteOptions(body?.value, {}));
    if (!deleted.ok && deleted.refusal.code !== 404) return refused(deleted.refusal);
  }
  return json({
    kind: `${path.resource.kind}List`,
    apiVersion: 'v1',
    metadata: { resourceVersion: String(state.store.version) },
    items,
  });
}
