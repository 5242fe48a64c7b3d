import { randomUUID } from 'node:crypto';
import { fail, ok } from '../../../shared/core/fault.ts';
import type { Result } from '../../../shared/core/fault.ts';
import type { JsonObject } from '../../../shared/core/json.ts';
import type { KubeEvent } from '../../../shared/core/kubernetes/event.ts';
import {
  eventName,
  eventNamespace,
  formatEvent,
  formatEventRepetition,
} from '../../../shared/wire/kubernetes/event.ts';
import type { ClusterState } from './api-server/cluster-state.ts';
import { instant, nameOf, numberAt, objectAt, textAt, withMeta } from './api-server/json-access.ts';
import { notFound } from './api-server/status-error.ts';
import { events, namespaces } from './api-server/resources.ts';
import { faultOf } from './cluster-faults.ts';

/** Events, as the port writes them and as everybody reads them. */
export interface ClusterEvents {
  /** One that was written before changes nothing; a namespace that is not there is `not-found`. */
  readonly write: (event: KubeEvent, node: string) => Result<void>;
  /** One that is not there, or not any more, is `not-found`. */
  readonly repeat: (event: KubeEvent) => Result<void>;
  /** In the order in which they were written. */
  readonly list: () => readonly KubeEvent[];
}

/** What the port was reported, by the object that was made of it. */
const written = new WeakMap<JsonObject, KubeEvent>();

export const createClusterEvents = (state: ClusterState): ClusterEvents => ({
  write: (event, node) => {
    const json = eventJson(event, node, state.now());
    const key = keyOf(event);
    if (state.store.get(namespaces, { namespace: '', name: key.namespace }) === undefined)
      return fail(faultOf(notFound({ kind: 'namespaces', name: key.namespace })));
    if (state.store.get(events, key) === undefined) written.set(state.store.put(events, json), event);
    return ok(undefined);
  },
  repeat: (event) => {
    const known = state.store.get(events, keyOf(event));
    if (known === undefined) return fail(faultOf(notFound({ kind: 'events', name: eventName(event) })));
    const { count, at, message } = event;
    const changed = state.store.put(events, { ...known, ...formatEventRepetition(event) });
    written.set(changed, { ...(written.get(known) ?? readEvent(known)), at, message, count: count ?? 1 });
    return ok(undefined);
  },
  list: () => [...state.store.all(events)].map((json) => written.get(json) ?? readEvent(json)),
});

const keyOf = (event: KubeEvent): { readonly namespace: string; readonly name: string } => ({
  namespace: eventNamespace(event),
  name: eventName(event),
});

const eventJson = (event: KubeEvent, node: string, now: number): JsonObject =>
  withMeta(formatEvent(event, node), { uid: randomUUID(), creationTimestamp: instant(now) });

function readEvent(json: JsonObject): KubeEvent {
  const involved = objectAt(json, 'involvedObject');
  return {
    involved: {
      kind: textAt(involved, 'kind') === 'Node' ? 'Node' : 'Pod',
      namespace: textAt(involved, 'namespace'),
      name: textAt(involved, 'name'),
      uid: textAt(involved, 'uid'),
      ...(textAt(involved, 'fieldPath') === '' ? {} : { fieldPath: textAt(involved, 'fieldPath') }),
    },
    type: textAt(json, 'type') === 'Warning' ? 'Warning' : 'Normal',
    reason: textAt(json, 'reason'),
    message: textAt(json, 'message'),
    at: textAt(json, 'lastTimestamp'),
    dedupeKey: nameOf(json),
    count: numberAt(json, 'count') ?? 1,
  };
}
