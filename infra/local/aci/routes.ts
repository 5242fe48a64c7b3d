import type { BucketKind } from './limits.ts';

/** One operation of ARM: how it is addressed, what it costs, which action it needs. */
interface Route {
  readonly operation: OperationName;
  readonly method: string;
  /** Lower-case segments; `{x}` is a parameter. */
  readonly pattern: readonly string[];
  readonly action: string;
  readonly bucket: BucketKind;
  /** Counted by ACI as a create or delete. */
  readonly resourceRequest?: 'write' | 'delete';
  /** Answers to any api-version. */
  readonly anyVersion?: boolean;
}

export type OperationName =
  | 'groups.get'
  | 'groups.put'
  | 'groups.patch'
  | 'groups.delete'
  | 'groups.list'
  | 'groups.listByResourceGroup'
  | 'groups.stop'
  | 'groups.start'
  | 'groups.restart'
  | 'groups.outbound'
  | 'groups.metrics'
  | 'containers.logs'
  | 'containers.exec'
  | 'containers.attach'
  | 'operations.get'
  | 'operations.list'
  | 'locations.usages'
  | 'locations.capabilities'
  | 'locations.cachedImages'
  | 'resourceGroups.get'
  | 'subscriptions.get';

const provider = 'Microsoft.ContainerInstance';
const subscription = '/subscriptions/{sub}';
const resourceGroup = `${subscription}/resourcegroups/{rg}`;
const groups = '/providers/microsoft.containerinstance/containergroups';
const group = `${resourceGroup}${groups}/{name}`;
const location = `${subscription}/providers/microsoft.containerinstance/locations/{loc}`;
const groupAction = `${provider}/containerGroups`;

type Row = [OperationName, string, string, string, BucketKind, Partial<Route>?];

const rows: readonly Row[] = [
  ['groups.get', 'GET', group, `${groupAction}/read`, 'reads'],
  ['groups.put', 'PUT', group, `${groupAction}/write`, 'writes', { resourceRequest: 'write' }],
  ['groups.patch', 'PATCH', group, `${groupAction}/write`, 'writes'],
  ['groups.delete', 'DELETE', group, `${groupAction}/delete`, 'deletes', { resourceRequest: 'delete' }],
  ['groups.list', 'GET', `${subscription}${groups}`, `${groupAction}/read`, 'reads'],
  ['groups.listByResourceGroup', 'GET', `${resourceGroup}${groups}`, `${groupAction}/read`, 'reads'],
  ['groups.stop', 'POST', `${group}/stop`, `${groupAction}/stop/action`, 'writes'],
  ['groups.start', 'POST', `${group}/start`, `${groupAction}/start/action`, 'writes'],
  ['groups.restart', 'POST', `${group}/restart`, `${groupAction}/restart/action`, 'writes'],
  [
    'groups.outbound',
    'GET',
    `${group}/outboundnetworkdependenciesendpoints`,
    `${groupAction}/outboundNetworkDependenciesEndpoints/read`,
    'reads',
  ],
  [
    'groups.metrics',
    'GET',
    `${group}/providers/microsoft.insights/metrics`,
    'Microsoft.Insights/metrics/read',
    'reads',
    { anyVersion: true },
  ],
  ['containers.logs', 'GET', `${group}/containers/{container}/logs`, `${groupAction}/containers/logs/read`, 'reads'],
  [
    'containers.exec',
    'POST',
    `${group}/containers/{container}/exec`,
    `${groupAction}/containers/exec/action`,
    'writes',
  ],
  [
    'containers.attach',
    'POST',
    `${group}/containers/{container}/attach`,
    `${groupAction}/containers/attach/action`,
    'writes',
  ],
  [
    'operations.get',
    'GET',
    `${location}/operations/{op}`,
    `${provider}/locations/operations/read`,
    'reads',
    { anyVersion: true },
  ],
  [
    'operations.list',
    'GET',
    '/providers/microsoft.containerinstance/operations',
    `${provider}/operations/read`,
    'reads',
  ],
  ['locations.usages', 'GET', `${location}/usages`, `${provider}/locations/usages/read`, 'reads'],
  ['locations.capabilities', 'GET', `${location}/capabilities`, `${provider}/locations/capabilities/read`, 'reads'],
  ['locations.cachedImages', 'GET', `${location}/cachedimages`, `${provider}/locations/cachedImages/read`, 'reads'],
  [
    'resourceGroups.get',
    'GET',
    resourceGroup,
    'Microsoft.Resources/subscriptions/resourceGroups/read',
    'reads',
    { anyVersion: true },
  ],
  ['subscriptions.get', 'GET', subscription, 'Microsoft.Resources/subscriptions/read', 'reads', { anyVersion: true }],
];

const routes: readonly Route[] = rows.map(([operation, method, path, action, bucket, rest]) => ({
  operation,
  method,
  pattern: segmentsOf(path),
  action,
  bucket,
  ...rest,
}));

export interface MatchedRoute {
  readonly route: Route;
  /** Parameters with the casing of the request. */
  readonly params: Readonly<Record<string, string>>;
  /** The ARM id that the action is checked against. */
  readonly scope: string;
}

/** Finds the operation of a request; literals match in any case, as in ARM. */
export function matchRoute(method: string, path: string): MatchedRoute | undefined {
  const segments = segmentsOf(path);
  const lower = segments.map((s) => s.toLowerCase());
  const route = routes.find(
    (r) =>
      r.method === method &&
      r.pattern.length === lower.length &&
      r.pattern.every((part, i) => part.startsWith('{') || part === lower[i]),
  );
  if (route === undefined) return undefined;
  const named = route.pattern.flatMap((part, i) =>
    part.startsWith('{') ? [[part.slice(1, -1), decode(segments[i] ?? '')] as const] : [],
  );
  const params = Object.fromEntries(named);
  return { route, params, scope: scopeOf(params) };
}

/** The canonical ARM id of a container group. */
export function groupId(subscriptionId: string, resourceGroupName: string, name: string): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroupName}/providers/${provider}/containerGroups/${name}`;
}

function scopeOf(params: Readonly<Record<string, string>>): string {
  const { sub, rg, name } = params;
  if (sub === undefined) return '/';
  if (rg === undefined) return `/subscriptions/${sub}`;
  return name === undefined ? `/subscriptions/${sub}/resourceGroups/${rg}` : groupId(sub, rg, name);
}

function segmentsOf(path: string): readonly string[] {
  return path.split('/').filter((s) => s !== '');
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
