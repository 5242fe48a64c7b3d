import { createHash } from 'node:crypto';
import type { JsonObject } from '../../core/json.ts';
import type { KubeEvent } from '../../core/kubernetes/event.ts';
import { defined } from '../../core/defined.ts';

const component = 'serverless-kubelet';
/** Names of objects are DNS subdomains: 253 characters, 17 of them for the hash and its dot. */
const maxInvolvedNameLength = 253 - 17;
const maxMessageLength = 1024;

/** Events of what has no namespace, as a Node, live in `default`. */
export const eventNamespace = ({ involved }: KubeEvent): string =>
  involved.kind === 'Node' ? 'default' : involved.namespace;

/** The event as the API server takes it, written by the kubelet of a node. */
export function formatEvent(event: KubeEvent, nodeName: string): JsonObject {
  const { kind, namespace, name, uid, fieldPath } = event.involved;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: eventName(event), namespace: eventNamespace(event) },
    involvedObject: {
      apiVersion: 'v1',
      kind,
      name,
      uid,
      ...(kind === 'Node' ? {} : { namespace }),
      ...defined({ fieldPath }),
    },
    type: event.type,
    reason: event.reason,
    message: event.message.slice(0, maxMessageLength),
    source: { component, host: nodeName },
    reportingComponent: component,
    reportingInstance: nodeName,
    firstTimestamp: event.at,
    lastTimestamp: event.at,
    count: event.count ?? 1,
  };
}

/** What changes in an event that is reported again, as a merge patch. */
export const formatEventRepetition = (event: KubeEvent): JsonObject => ({
  message: event.message.slice(0, maxMessageLength),
  lastTimestamp: event.at,
  count: event.count ?? 1,
});

/** The same event has the same name, so that the API server itself refuses the second. */
export function eventName({ involved, dedupeKey }: KubeEvent): string {
  const hash = createHash('sha256').update(`${involved.uid}\n${dedupeKey}`).digest('hex').slice(0, 16);
  return `${involved.name.slice(0, maxInvolvedNameLength).replace(/[.-]+$/, '')}.${hash}`;
}
