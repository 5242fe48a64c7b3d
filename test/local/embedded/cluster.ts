/** An in-memory cluster on a virtual clock, spoken to by the rules behind the HTTP skin. */
import { authorize } from '../../../infra/local/sim/api-server/authorization.ts';
import { createObject } from '../../../infra/local/sim/api-server/create.ts';
import { deleteObject } from '../../../infra/local/sim/api-server/delete.ts';
import type { DeleteOptions } from '../../../infra/local/sim/api-server/delete.ts';
import { patchObject } from '../../../infra/local/sim/api-server/patch.ts';
import type { StatusResult } from '../../../infra/local/sim/api-server/status-error.ts';
import { findResource } from '../../../infra/local/sim/api-server/resources.ts';
import type { Resource } from '../../../infra/local/sim/api-server/resources.ts';
import { parseFields } from '../../../infra/local/sim/api-server/selectors.ts';
import { replaceObject } from '../../../infra/local/sim/api-server/update.ts';
import type { User } from '../../../infra/local/sim/api-server/user.ts';
import { createMemoryCluster } from '../../../infra/local/sim/memory-cluster.ts';
import type { MemoryClusterOptions } from '../../../infra/local/sim/memory-cluster.ts';
import type { Json, JsonObject } from '../../../shared/core/json.ts';

export const noon = Date.parse('2026-11-23T12:00:00Z');

export const resourceOf = (plural: string): Resource => {
  const group = plural === 'leases' ? 'coordination.k8s.io' : '';
  const found = findResource(group, 'v1', plural);
  if (found === undefined) throw new Error(`no ${plural}`);
  return found;
};

/** An object as tests look at it; what is not there is undefined all the same. */
export interface Seen {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
    readonly continue: string;
    readonly deletionTimestamp?: string;
  };
  readonly data: unknown;
  readonly items: readonly Seen[];
  readonly spec: {
    readonly nodeName?: string;
    readonly taints: readonly { readonly key: string; readonly effect: string }[];
    readonly volumes: readonly {
      readonly name: string;
      readonly projected: { readonly sources: readonly unknown[] };
    }[];
    readonly containers: readonly { readonly volumeMounts: unknown }[];
  };
  readonly status: {
    readonly phase: string;
    readonly qosClass: string;
    readonly token: string;
    readonly authenticated?: boolean;
    readonly conditions?: readonly Condition[];
  };
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
}

/** A cluster whose time does not move until it is moved. */
export function testCluster(options: Omit<MemoryClusterOptions, 'now'> = {}) {
  const clock = { now: noon };
  const cluster = createMemoryCluster({ now: () => clock.now, ...options });
  const state = () => cluster.state();
  const target = (plural: string, name: string, subresource = '', user?: User) => {
    const resource = resourceOf(plural);
    const namespace = resource.isNamespaced ? (plural === 'leases' ? 'kube-node-lease' : 'default') : '';
    return { user, resource, subresource, namespace, name };
  };
  return {
    cluster,
    state,
    clock,
    get: (plural: string, name: string): Seen =>
      state().store.get(resourceOf(plural), target(plural, name)) as unknown as Seen,
    create: (plural: string, body: JsonObject, user?: User) =>
      createObject(state(), target(plural, '', '', user), body),
    replace: (plural: string, name: string, body: JsonObject, subresource = '') =>
      replaceObject(state(), target(plural, name, subresource), body),
    patch: (plural: string, name: string, body: Json, { type = 'strategic-merge-patch+json', subresource = '' } = {}) =>
      patchObject(state(), target(plural, name, subresource), {
        type: `application/${type}`,
        body,
        fieldManager: 'tester',
      }),
    delete: (plural: string, name: string, options: DeleteOptions = {}, user?: User) =>
      deleteObject(state(), target(plural, name, '', user), options),
    /** Lets time pass, the controllers looking each second. */
    run: (seconds: number): void => {
      for (let second = 0; second < seconds; second += 1) {
        clock.now += 1000;
        cluster.tick();
      }
    },
    /** What an authorizer says: `yes`, or why not. */
    may: (user: User, verb: string, path: string, fields = ''): string => {
      const [plural = '', namespace = '', name = ''] = path.split(' ');
      const [resource = '', subresource = ''] = plural.split('/');
      const group = { leases: 'coordination.k8s.io', tokenreviews: 'authentication.k8s.io' }[resource] ?? '';
      const decision = authorize(state(), user, {
        verb,
        group,
        resource,
        subresource,
        namespace: namespace === '-' ? '' : namespace,
        name,
        fields: parseFields(fields) ?? [],
      });
      return decision.allowed ? 'yes' : decision.why;
    },
  };
}

/** The object, or the refusal as the test's failure. */
export function valueOf<T>(outcome: StatusResult<T>): T {
  if (!outcome.ok) throw new Error(outcome.refusal.message);
  return outcome.value;
}

export const seen = (outcome: StatusResult<JsonObject>): Seen => valueOf(outcome) as unknown as Seen;

/** `409 Conflict`, or `ok`. */
export const messageOrOk = <T>(outcome: StatusResult<T>): string =>
  outcome.ok ? 'ok' : `${outcome.refusal.code} ${outcome.refusal.reason}`;

export const messageOf = <T>(outcome: StatusResult<T>): string => (outcome.ok ? '' : outcome.refusal.message);

export const podManifest = (name: string, spec: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...metadata },
  spec: { containers: [{ name: 'main', image: 'busybox' }], ...spec },
});

export const ready = (status: 'True' | 'False' | 'Unknown' = 'True'): JsonObject => ({
  conditions: [{ type: 'Ready', status, reason: 'KubeletReady', lastHeartbeatTime: '2026-11-23T12:00:00Z' }],
});

export const nodeManifest = (name: string, over: JsonObject = {}): JsonObject => ({
  metadata: { name, labels: { zone: 'a' } },
  spec: {},
  status: ready(),
  ...over,
});
