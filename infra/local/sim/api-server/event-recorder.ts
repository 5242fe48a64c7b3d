import { createHash, randomUUID } from 'node:crypto';
import type { JsonObject } from '../../../../shared/core/json.ts';
import type { ClusterState } from './cluster-state.ts';
import { instant, metaOf, nameOf, namespaceOf, numberAt, textAt, uidOf } from './json-access.ts';
import { events } from './resources.ts';

export interface Recorded {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** The controller that speaks. */
  readonly component: string;
}

/** An event about the object; the same one again is counted. */
export function recordEvent(state: ClusterState, object: JsonObject, event: Recorded): void {
  const { type, reason, message, component } = event;
  const namespace = namespaceOf(object) || 'default';
  const hash = createHash('sha256')
    .update(`${uidOf(object)}\n${reason}\n${message}`)
    .digest('hex')
    .slice(0, 16);
  const name = `${nameOf(object)}.${hash}`;
  const at = instant(state.now());
  const before = state.store.get(events, { namespace, name });
  const kind = textAt(object, 'kind');
  state.store.put(events, {
    apiVersion: 'v1',
    kind: 'Event',
    metadata:
      before === undefined ? { name, namespace, uid: randomUUID(), creationTimestamp: at } : (before['metadata'] ?? {}),
    involvedObject: {
      apiVersion: 'v1',
      kind,
      name: nameOf(object),
      // `kubectl describe node` looks for events of a node by its name as the UID.
      uid: kind === 'Node' ? nameOf(object) : uidOf(object),
      ...(namespaceOf(object) === '' ? {} : { namespace }),
    },
    type,
    reason,
    message,
    source: { component },
    reportingComponent: component,
    reportingInstance: '',
    firstTimestamp: before === undefined ? at : (before['firstTimestamp'] ?? at),
    lastTimestamp: at,
    count: before === undefined ? 1 : (numberAt(before, 'count') ?? 0) + 1,
  });
}

const lifeMs = 3_600_000;

/** Events live for an hour from their last writing, whatever time they report. */
export function expireEvents(state: ClusterState): void {
  for (const event of state.store.all(events)) {
    const times = [textAt(metaOf(event), 'creationTimestamp'), textAt(event, 'lastTimestamp')].map(Date.parse);
    if (Math.max(...times.filter((time) => !Number.isNaN(time))) + lifeMs < state.now())
      state.store.remove(events, { namespace: namespaceOf(event), name: nameOf(event) });
  }
}
