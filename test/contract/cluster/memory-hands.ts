import type { ClusterState } from '../../../infra/local/sim/api-server/cluster-state.ts';
import { createObject } from '../../../infra/local/sim/api-server/create.ts';
import type { Target } from '../../../infra/local/sim/api-server/create.ts';
import { deleteObject } from '../../../infra/local/sim/api-server/delete.ts';
import { patchObject } from '../../../infra/local/sim/api-server/patch.ts';
import type { StatusResult } from '../../../infra/local/sim/api-server/status-error.ts';
import {
  configMaps,
  events,
  nodes,
  pods,
  secrets,
  serviceAccounts,
  services,
} from '../../../infra/local/sim/api-server/resources.ts';
import type { Resource } from '../../../infra/local/sim/api-server/resources.ts';
import { bindPod } from '../../../infra/local/sim/api-server/subresources.ts';
import { requestToken } from '../../../infra/local/sim/api-server/tokens.ts';
import { mastersGroup, userOf } from '../../../infra/local/sim/api-server/user.ts';
import { nameOf, namespaceOf, objectAt, textAt } from '../../../infra/local/sim/api-server/json-access.ts';
import type { MemoryCluster } from '../../../infra/local/sim/memory-cluster.ts';
import type { JsonObject } from '../../../shared/core/json.ts';
import { parsePod } from '../../../shared/wire/pod.ts';
import { namespace } from './harness.ts';
import type { ClusterHands } from './harness.ts';
import { podManifest } from './http-hands.ts';

const administrator = userOf('kubernetes-admin', [mastersGroup]);
const merge = 'application/merge-patch+json';
const strategic = 'application/strategic-merge-patch+json';

export interface RelayAccount {
  readonly namespace: string;
  readonly name: string;
}

/** The hands past HTTP: the same calls that the skin would make. */
export function createMemoryHands(cluster: MemoryCluster, relay: RelayAccount): ClusterHands {
  const state = (): ClusterState => cluster.state();
  const at = (resource: Resource, name: string, subresource = ''): Target => ({
    user: administrator,
    resource,
    subresource,
    namespace: resource.isNamespaced ? namespace : '',
    name,
  });
  const create = (resource: Resource, name: string, more: object = {}): JsonObject =>
    valueOf(
      createObject(state(), at(resource, ''), {
        apiVersion: 'v1',
        kind: resource.kind,
        metadata: { name },
        ...more,
      }),
    );
  const patch = (target: Target, body: JsonObject, type = merge): void =>
    void valueOf(patchObject(state(), target, { type, body, fieldManager: 'suite' }));
  const podOf = (json: JsonObject) => {
    const pod = parsePod(json);
    if (pod === undefined) throw new Error(`no pod: ${JSON.stringify(json)}`);
    return pod;
  };
  return {
    createPod: async (wanted) => podOf(valueOf(createObject(state(), at(pods, ''), podManifest(wanted)))),
    bindPod: async (name, nodeName) =>
      void valueOf(bindPod(state(), at(pods, name, 'binding'), { metadata: { name }, target: { name: nodeName } })),
    getPod: async (name) => {
      const found = state().store.get(pods, { namespace, name });
      return found === undefined ? undefined : podOf(found);
    },
    deletePod: async (name, options = {}) => void deleteObject(state(), at(pods, name), options),
    setPodCondition: async (name, condition) =>
      patch(at(pods, name, 'status'), { status: { conditions: [{ ...condition }] } }, strategic),
    annotatePod: async (name, annotations) => patch(at(pods, name), { metadata: { annotations } }),
    setImage: async (name, image) => patch(at(pods, name), { spec: { containers: [{ name: 'c', image }] } }, strategic),
    removeFinalizers: async (name) => patch(at(pods, name), { metadata: { finalizers: null } }),
    putSecret: async (name, stringData) => void create(secrets, name, { stringData }),
    putConfigMap: async (name, data) => void create(configMaps, name, { data }),
    putServiceAccount: async (name) => void create(serviceAccounts, name),
    putService: async (name, kind) => {
      const spec = { ports: [{ name: 'http', port: 80 }], ...(kind === 'headless' ? { clusterIP: 'None' } : {}) };
      create(services, name, { spec });
    },
    createNode: async (name) => void create(nodes, name),
    getNode: async (name) => {
      const found = cluster.nodes.get(name);
      return found.ok ? found.value : undefined;
    },
    deleteNode: async (name) => cluster.nodes.delete(name),
    setNodeCondition: async (name, condition) =>
      patch(at(nodes, name, 'status'), { status: { conditions: [{ ...condition }] } }, strategic),
    events: async (uid) =>
      cluster
        .events()
        .filter(({ involved }) => involved.uid === uid)
        .map(({ reason, message, count = 1, at }) => ({ reason, message, count, lastTimestamp: at })),
    dropEvents: async (uid) => {
      for (const event of state().store.all(events))
        if (textAt(objectAt(event, 'involvedObject'), 'uid') === uid)
          state().store.remove(events, { namespace: namespaceOf(event), name: nameOf(event) });
    },
    relayToken: async (audience, { expired } = { expired: false }) => {
      const call = { user: administrator, ...relay };
      const spec = { audiences: [audience], expirationSeconds: 600 };
      const token = tokenOf(valueOf(requestToken(state(), call, { spec })));
      return expired ? expire(state(), token) : token;
    },
  };
}

/** The same claims, an hour older, under the cluster's own signature. */
export function expire(state: ClusterState, token: string): string {
  const claims = state.tokens.read(token);
  if (claims === undefined) throw new Error('the token is not one of this cluster');
  const earlier = (claim: string): number => Number(claims[claim]) - 3600;
  return state.tokens.sign({ ...claims, exp: earlier('exp'), iat: earlier('iat'), nbf: earlier('nbf') });
}

function tokenOf(answer: JsonObject): string {
  const { status } = answer as { readonly status?: { readonly token?: string } };
  return status?.token ?? '';
}

function valueOf<T>(outcome: StatusResult<T>): T {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.refusal));
  return outcome.value;
}
