import type { JsonObject } from '../../../../shared/core/json.ts';
import type { ClusterState } from './cluster-state.ts';
import { metaOf, namespaceOf, versionOf } from './json-access.ts';
import type { Change } from './object-store.ts';
import { badRequest, done, expired, refuse, versionTooLarge } from './status-error.ts';
import type { StatusResult, StatusError } from './status-error.ts';
import { apiVersionOf } from './resources.ts';
import type { Resource } from './resources.ts';
import { matches } from './selectors.ts';
import type { Selection } from './selectors.ts';

/** What is listed or watched. */
export interface ListTarget {
  readonly resource: Resource;
  /** Empty: of every namespace. */
  readonly namespace: string;
  readonly selection: Selection;
}

export interface ListOptions {
  /** 0: everything at once. */
  readonly limit: number;
  readonly continueToken: string;
  /** As the query has it; a list is always of the newest state, which any older version is content with. */
  readonly resourceVersion: string;
}

/** One page as a list object, e.g. `PodList`. Later pages show the state of the first. */
export function listObjects(state: ClusterState, target: ListTarget, options: ListOptions): StatusResult<JsonObject> {
  const { resource, selection } = target;
  if (options.continueToken !== '') return nextPage(state, target, options);
  const newer = versionFault(state, options.resourceVersion);
  if (newer !== undefined) return refuse(newer);
  const objects = state.store.sorted(resource, target.namespace).filter((object) => matches(object, selection));
  return done(page(state, target, { objects, limit: options.limit, version: state.store.version }));
}

/** The selected objects, in no promised order and without paging: for the cluster's own use. */
export function selected(state: ClusterState, target: ListTarget): readonly JsonObject[] {
  const { resource, namespace, selection } = target;
  const found: JsonObject[] = [];
  for (const object of state.store.all(resource)) if (isWithin(object, { namespace, selection })) found.push(object);
  return found;
}

function nextPage(
  state: ClusterState,
  target: ListTarget,
  { continueToken, limit, resourceVersion }: ListOptions,
): StatusResult<JsonObject> {
  if (resourceVersion !== '' && resourceVersion !== '0')
    return refuse(badRequest('specifying resource version is not allowed when using continue'));
  if (!state.pages.isToken(continueToken))
    return refuse(badRequest('continue key is not valid: it was given by no list'));
  const rest = state.pages.find(continueToken, state.now());
  if (rest === undefined)
    return refuse(
      expired(
        'The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.',
      ),
    );
  return done(page(state, target, { objects: rest.items, limit, version: rest.version }));
}

function page(
  state: ClusterState,
  { resource, selection }: ListTarget,
  {
    objects,
    limit,
    version,
  }: { readonly objects: readonly JsonObject[]; readonly limit: number; readonly version: number },
): JsonObject {
  const isWhole = limit <= 0 || objects.length <= limit;
  const items = isWhole ? objects : objects.slice(0, limit);
  const rest = isWhole ? [] : objects.slice(limit);
  const isCounted = selection.fields.length === 0 && selection.labels.length === 0;
  return {
    kind: `${resource.kind}List`,
    apiVersion: apiVersionOf(resource),
    metadata: {
      resourceVersion: String(version),
      ...(isWhole ? {} : { continue: state.pages.keep(rest, version, state.now()) }),
      ...(isWhole || !isCounted ? {} : { remainingItemCount: rest.length }),
    },
    items,
  };
}

/** A version that this cluster has not reached, or that is none. */
export function versionFault(state: ClusterState, version: string): StatusError | undefined {
  if (version === '') return undefined;
  if (!/^\d+$/.test(version))
    return badRequest(
      `resourceVersion: Invalid value: "${version}": strconv.ParseUint: parsing "${version}": invalid syntax`,
    );
  return Number(version) > state.store.version ? versionTooLarge(version, String(state.store.version)) : undefined;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: JsonObject;
}

/** What a watch shows of a write: an object that begins to match is ADDED, one that ceases to is DELETED. */
export function watchEvent(change: Change, target: ListTarget): WatchEvent | undefined {
  if (change.resource !== target.resource) return undefined;
  const { before, object, type } = change;
  const did = before !== undefined && isWithin(before, target);
  const does = type !== 'DELETED' && isWithin(object, target);
  if (does) return { type: did ? 'MODIFIED' : 'ADDED', object };
  return did ? { type: 'DELETED', object: lastSeen(before, object) } : undefined;
}

/** The state that was last selected, under the version of the change. */
const lastSeen = (before: JsonObject, after: JsonObject): JsonObject => ({
  ...before,
  metadata: { ...metaOf(before), resourceVersion: versionOf(after) },
});

const isWithin = (object: JsonObject, { namespace, selection }: Pick<ListTarget, 'namespace' | 'selection'>): boolean =>
  (namespace === '' || namespaceOf(object) === namespace) && matches(object, selection);
