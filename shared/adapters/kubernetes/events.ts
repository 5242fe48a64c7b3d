import { ok } from '../../core/fault.ts';
import type { NodeApi } from '../../ports/node-api.ts';
import { eventName, eventNamespace, formatEvent, formatEventRepetition } from '../../wire/kubernetes/event.ts';
import { parseAnyObject } from '../../wire/kubernetes/meta.ts';
import { request } from './http.ts';
import type { KubernetesClient } from './http.ts';
import { namespacedPath } from './path.ts';

/** Writes events of one node's pods, and of the node. Writing the same one again changes nothing. */
export const createEventApi = (
  client: KubernetesClient,
  nodeName: string,
): Pick<NodeApi, 'createEvent' | 'repeatEvent'> => ({
  createEvent: async (event, signal) => {
    const path = namespacedPath(eventNamespace(event), 'events');
    const body = formatEvent(event, nodeName);
    const created = await request(client, { method: 'POST', path, body }, parseAnyObject, signal);
    const isThere = !created.ok && created.fault.kind === 'conflict' && created.fault.code === 'AlreadyExists';
    return created.ok || isThere ? ok(undefined) : created;
  },
  repeatEvent: async (event, signal) => {
    const path = namespacedPath(eventNamespace(event), 'events', eventName(event));
    const body = formatEventRepetition(event);
    const patched = await request(client, { method: 'PATCH', path, body }, parseAnyObject, signal);
    return patched.ok ? ok(undefined) : patched;
  },
});
