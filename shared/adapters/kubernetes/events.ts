import { createHash } from 'node:crypto';
import { ok } from '../../core/fault.ts';
import type { JsonObject } from '../../core/json.ts';
import type { KubeEvent } from '../../core/kubernetes/event.ts';
import type { NodeApi } from '../../ports/node-api.ts';
import { parseAnyObject } from '../../wire/kubernetes/meta.ts';
import { type KubernetesClient, request } from './http.ts';
import { namespacedPath } from './path.ts';

const component = 'serverless-kubelet';
/** Names of objects are DNS subdomains: 253 characters, 17 of them for the hash and its dot. */
const maxInvolvedNameLength = 253 - 17;
const maxMessageLength = 1024;

/** Writes events of one node's pods, and of the node. Writing the same one again changes nothing. */
export const createEventApi = (client: KubernetesClient, nodeName: string): Pick<NodeApi, 'createEvent'> => ({
  createEvent: async (event, signal) => {
    const namespace = namespaceOf(event);
    const path = namespacedPath(namespace, 'events');
    const body = eventBody(event, { namespace, nodeName });
    const created = await request(client, { method: 'POST', path, body }, parseAnyObject, signal);
    const isThere = !created.ok && created.fault.kind === 'conflict' && created.fault.code === 'AlreadyExists';
    return created.ok || isThere ? ok(undefined) : created;
  },
});

/** Events of what has no namespace, as a Node, live in `default`. */
const namespaceOf = ({ involved }: KubeEvent): string => (involved.kind === 'Node' ? 'default' : involved.namespace);

function eventBody(event: KubeEvent, where: { readonly namespace: string; readonly nodeName: string }): JsonObject {
  const { kind, namespace, name, uid, fieldPath } = event.involved;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: eventName(event), namespace: where.namespace },
    involvedObject: {
      apiVersion: 'v1',
      kind,
      name,
      uid,
      ...(kind === 'Node' ? {} : { namespace }),
      ...(fieldPath === undefined ? {} : { fieldPath }),
    },
    type: event.type,
    reason: event.reason,
    message: event.message.slice(0, maxMessageLength),
    source: { component, host: where.nodeName },
    reportingComponent: component,
    reportingInstance: where.nodeName,
    firstTimestamp: event.at,
    lastTimestamp: event.at,
    count: 1,
  };
}

/** The same event has the same name, so that the API server itself refuses the second. */
function eventName({ involved, dedupeKey }: KubeEvent): string {
  const hash = createHash('sha256').update(`${involved.uid}\n${dedupeKey}`).digest('hex').slice(0, 16);
  return `${involved.name.slice(0, maxInvolvedNameLength).replace(/[.-]+$/, '')}.${hash}`;
}
