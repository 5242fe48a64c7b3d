import { listObjects } from '../../sim/api-server/list.ts';
import { badRequest, methodNotAllowed, notFound } from '../../sim/api-server/status-error.ts';
import { nodes, pods, qualifiedName } from '../../sim/api-server/resources.ts';
import type { Selection } from '../../sim/api-server/selectors.ts';
import type { JsonObject } from '../../../../shared/core/json.ts';
import { answerOf, json, refused } from './answer.ts';
import type { Answer } from './answer.ts';
import { nodeProxy, podLog } from './kubelet-proxy.ts';
import { notServed } from './resource-call.ts';
import type { ResourceCall } from './resource-call.ts';
import type { Serving } from './serving.ts';
import { asTable } from './tables.ts';
import { streamWatch } from './watch-stream.ts';

export interface ReadCall extends ResourceCall {
  readonly verb: 'get' | 'list' | 'watch';
  readonly selection: Selection;
}

export function readResource(serving: Serving, call: ReadCall): Answer | Promise<Answer> {
  const { resource } = call.path;
  if (resource.storage === 'review')
    return refused(methodNotAllowed('the server does not allow this method on the requested resource'));
  switch (call.verb) {
    case 'get':
      return getOne(serving, call);
    case 'list':
      return getList(serving, call);
    case 'watch':
      return watch(serving, call);
  }
}

function getOne(serving: Serving, call: ReadCall): Answer | Promise<Answer> {
  const { resource, namespace, name, subresource } = call.path;
  const found = serving.state().store.get(resource, { namespace, name });
  if (found === undefined) return refused(notFound({ kind: qualifiedName(resource), name }));
  if (resource === pods && subresource === 'log') return podLog(serving, found, call.query);
  if (resource === nodes && subresource === 'proxy') return nodeProxy(serving, found, call.path.proxied);
  if (subresource !== '' && subresource !== 'status') return refused(notServed(resource, subresource));
  return shown(call, found);
}

function getList(serving: Serving, call: ReadCall): Answer {
  const { path, selection, query } = call;
  const limit = Number(query.get('limit') ?? '0');
  if (!Number.isInteger(limit) || limit < 0)
    return refused(badRequest(`limit: Invalid value: "${query.get('limit') ?? ''}"`));
  const listed = listObjects(
    serving.state(),
    { resource: path.resource, namespace: path.namespace, selection },
    { limit, continueToken: query.get('continue') ?? '', resourceVersion: query.get('resourceVersion') ?? '' },
  );
  return listed.ok ? shown(call, listed.value) : answerOf(listed);
}

function watch(serving: Serving, call: ReadCall): Answer {
  const { path, query } = call;
  const given = Number(query.get('timeoutSeconds') ?? '');
  // As a server with --min-request-timeout 1800: half an hour to an hour.
  const timeoutSeconds = Number.isFinite(given) && given > 0 ? Math.min(given, 3600) : 1800 * (1 + Math.random());
  const named = { field: 'metadata.name', isEqual: true, value: path.name };
  const { fields, labels } = call.selection;
  const selection = { labels, fields: path.name === '' ? fields : [...fields, named] };
  const source = {
    state: serving.state(),
    target: { resource: path.resource, namespace: path.namespace, selection },
    bookmarkMs: serving.bookmarkMs,
    stop: serving.stop(),
    show: (object: JsonObject) => shownObject(call, object),
  };
  const options = {
    resourceVersion: query.get('resourceVersion') ?? '',
    bookmarks: ['true', '1'].includes(query.get('allowWatchBookmarks') ?? ''),
    sendInitialEvents: ['true', '1'].includes(query.get('sendInitialEvents') ?? ''),
    timeoutSeconds,
  };
  return { kind: 'stream', start: (response) => streamWatch(response, source, options) };
}

const shownObject = ({ wantsTable, path, query }: ReadCall, object: JsonObject): JsonObject =>
  wantsTable ? asTable(path.resource, object, query.get('includeObject') ?? 'Metadata') : object;

const shown = (call: ReadCall, object: JsonObject): Answer => json(shownObject(call, object));
