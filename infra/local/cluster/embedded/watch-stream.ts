import type { ServerResponse } from 'node:http';
import type { ClusterState } from '../../sim/api-server/cluster-state.ts';
import { selected, versionFault, watchEvent } from '../../sim/api-server/list.ts';
import type { ListTarget, WatchEvent } from '../../sim/api-server/list.ts';
import { expired, statusJson } from '../../sim/api-server/status-error.ts';
import type { StatusError } from '../../sim/api-server/status-error.ts';
import { apiVersionOf } from '../../sim/api-server/resources.ts';
import type { JsonObject } from '../../../../shared/core/json.ts';

export interface WatchOptions {
  /** As the query has it: empty and `0` begin with what is there. */
  readonly resourceVersion: string;
  readonly bookmarks: boolean;
  /** KEP-3157: what is there, and then a bookmark that says so. */
  readonly sendInitialEvents: boolean;
  readonly timeoutSeconds: number;
}

export interface WatchSource {
  readonly state: ClusterState;
  readonly target: ListTarget;
  /** Of the server: how often bookmarks come, and who ends all watches. */
  readonly bookmarkMs: number;
  readonly stop: AbortSignal;
  /** As the client takes an object: itself, or its row of a table. */
  readonly show: (object: JsonObject) => JsonObject;
}

/** One JSON document a line until the time is over, the client leaves, or the server stops. */
export function streamWatch(response: ServerResponse, source: WatchSource, options: WatchOptions): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
  response.flushHeaders();
  const refusal = begin(response, source, options);
  if (refusal !== undefined) {
    write(response, { type: 'ERROR', object: statusJson(refusal) });
    response.end();
    return Promise.resolve();
  }
  return follow(response, source, options);
}

/** Writes what comes before the live events, or says why the watch can't begin there. */
function begin(response: ServerResponse, source: WatchSource, options: WatchOptions): StatusError | undefined {
  const { state, target } = source;
  const { resourceVersion } = options;
  const isInitial = options.sendInitialEvents || resourceVersion === '' || resourceVersion === '0';
  // One that is yet to come is waited for, and no fault.
  if (resourceVersion !== '' && Number(resourceVersion) > state.store.version) return undefined;
  const fault = versionFault(state, resourceVersion);
  if (fault !== undefined) return fault;
  if (isInitial) {
    for (const object of selected(state, target)) notify(response, source, { type: 'ADDED', object });
    if (options.sendInitialEvents && options.bookmarks) write(response, bookmark({ state, target }, true));
    return undefined;
  }
  const changes = state.store.changesSince(Number(resourceVersion));
  if (changes === 'expired') return expired(`too old resource version: ${resourceVersion} (${state.store.version})`);
  for (const change of changes) notify(response, source, watchEvent(change, target));
  return undefined;
}

function follow(response: ServerResponse, source: WatchSource, options: WatchOptions): Promise<void> {
  const { state, target, bookmarkMs, stop } = source;
  const { promise, resolve } = Promise.withResolvers<void>();
  const from = Number(options.resourceVersion);
  const unsubscribe = state.store.subscribe((change) => {
    if (change.version > from) notify(response, source, watchEvent(change, target));
  });
  const mark = (): void => {
    if (state.store.version >= from) write(response, bookmark(source, false));
  };
  const marks = options.bookmarks ? setInterval(mark, bookmarkMs) : undefined;
  const end = (): void => {
    unsubscribe();
    clearInterval(marks);
    clearTimeout(timer);
    stop.removeEventListener('abort', end);
    if (options.bookmarks && !response.destroyed) mark();
    response.end();
    resolve();
  };
  const timer = setTimeout(end, options.timeoutSeconds * 1000);
  response.once('close', end);
  stop.addEventListener('abort', end, { once: true });
  return promise;
}

function bookmark({ state, target }: Pick<WatchSource, 'state' | 'target'>, isInitialEnd: boolean): WatchEvent {
  const { resource } = target;
  const annotations = { annotations: { 'k8s.io/initial-events-end': 'true' } };
  return {
    type: 'BOOKMARK',
    object: {
      kind: resource.kind,
      apiVersion: apiVersionOf(resource),
      metadata: { resourceVersion: String(state.store.version), ...(isInitialEnd ? annotations : {}) },
    },
  };
}

function notify(response: ServerResponse, { show }: WatchSource, event: WatchEvent | undefined): void {
  if (event !== undefined) write(response, { type: event.type, object: show(event.object) });
}

function write(response: ServerResponse, event: WatchEvent): void {
  if (!response.writableEnded && !response.destroyed) response.write(`${JSON.stringify(event)}\n`);
}
