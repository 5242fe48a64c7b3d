/** `meta.k8s.io/v1.Table`: what `kubectl get` prints. */
import {
  labelsOf,
  metaOf,
  nameOf,
  objectAt,
  objectsAt,
  specOf,
  statusOf,
  textAt,
} from '../../sim/api-server/json-access.ts';
import { events, namespaces, nodes, pods } from '../../sim/api-server/resources.ts';
import type { Resource } from '../../sim/api-server/resources.ts';
import type { Json, JsonObject } from '../../../../shared/core/json.ts';
import { podRow } from './pod-row.ts';

interface Column {
  readonly name: string;
  /** Only with `-o wide`. */
  readonly wide?: true;
  readonly cell: (object: JsonObject, now: number) => Json;
}

const name: Column = { name: 'Name', cell: nameOf };
const age: Column = { name: 'Age', cell: (object, now) => since(textAt(metaOf(object), 'creationTimestamp'), now) };

const podColumns: readonly Column[] = [
  name,
  { name: 'Ready', cell: (pod) => podRow(pod).ready },
  { name: 'Status', cell: (pod) => podRow(pod).status },
  { name: 'Restarts', cell: (pod) => podRow(pod).restarts },
  age,
  { name: 'IP', wide: true, cell: (pod) => textAt(statusOf(pod), 'podIP') || '<none>' },
  { name: 'Node', wide: true, cell: (pod) => textAt(specOf(pod), 'nodeName') || '<none>' },
];

const nodeColumns: readonly Column[] = [
  name,
  { name: 'Status', cell: nodeState },
  { name: 'Roles', cell: rolesOf },
  age,
  { name: 'Version', cell: (node) => textAt(objectAt(statusOf(node), 'nodeInfo'), 'kubeletVersion') },
  {
    name: 'Internal-IP',
    wide: true,
    cell: (node) =>
      textAt(
        objectsAt(statusOf(node), 'addresses').find((one) => textAt(one, 'type') === 'InternalIP') ?? {},
        'address',
      ) || '<none>',
  },
  {
    name: 'Container-Runtime',
    wide: true,
    cell: (node) => textAt(objectAt(statusOf(node), 'nodeInfo'), 'containerRuntimeVersion'),
  },
];

const eventColumns: readonly Column[] = [
  { name: 'Last Seen', cell: (event, now) => since(textAt(event, 'lastTimestamp') || textAt(event, 'eventTime'), now) },
  { name: 'Type', cell: (event) => textAt(event, 'type') },
  { name: 'Reason', cell: (event) => textAt(event, 'reason') },
  {
    name: 'Object',
    cell: (event) => {
      const involved = objectAt(event, 'involvedObject');
      return `${textAt(involved, 'kind').toLowerCase()}/${textAt(involved, 'name')}`;
    },
  },
  { name: 'Message', cell: (event) => textAt(event, 'message') },
];

const namespaceColumns: readonly Column[] = [
  name,
  { name: 'Status', cell: (namespace) => textAt(statusOf(namespace), 'phase') },
  age,
];

const columnsOf = new Map<Resource, readonly Column[]>([
  [pods, podColumns],
  [nodes, nodeColumns],
  [events, eventColumns],
  [namespaces, namespaceColumns],
]);

/** An object or a list as a table; `include` is the query's `includeObject`. */
export function asTable(resource: Resource, object: JsonObject, include: string): JsonObject {
  const columns = columnsOf.get(resource) ?? [name, age];
  const isList = textAt(object, 'kind') === `${resource.kind}List` && Array.isArray(object['items']);
  const rows = isList ? objectsAt(object, 'items') : [object];
  const now = Date.now();
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: isList ? metaOf(object) : { resourceVersion: textAt(metaOf(object), 'resourceVersion') },
    columnDefinitions: columns.map((column) => ({
      name: column.name,
      type: 'string',
      format: column.name === 'Name' ? 'name' : '',
      description: '',
      priority: column.wide === true ? 1 : 0,
    })),
    rows: rows.map((row) => ({
      cells: columns.map((column) => column.cell(row, now)),
      ...(include === 'None' ? {} : { object: include === 'Object' ? row : partial(row) }),
    })),
  };
}

const partial = (object: JsonObject): JsonObject => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: metaOf(object),
});

function nodeState(node: JsonObject): string {
  const ready = objectsAt(statusOf(node), 'conditions').find((one) => textAt(one, 'type') === 'Ready');
  const status = ready === undefined ? 'Unknown' : textAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady';
  return specOf(node)['unschedulable'] === true ? `${status},SchedulingDisabled` : status;
}

function rolesOf(node: JsonObject): string {
  const prefix = 'node-role.kubernetes.io/';
  const roles = Object.keys(labelsOf(node)).filter((key) => key.startsWith(prefix));
  return roles.length === 0 ? '<none>' : roles.map((key) => key.slice(prefix.length)).join(',');
}

/** As kubectl writes a duration: two units at most. */
export function since(time: string, now: number): string {
  const from = Date.parse(time);
  if (Number.isNaN(from)) return '<unknown>';
  const seconds = Math.max(0, Math.floor((now - from) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 600) return `${Math.floor(seconds / 60)}m${seconds % 60 === 0 ? '' : `${seconds % 60}s`}`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
