import { createMemoryCluster } from '../../infra/local/sim/memory-cluster.ts';
import { serviceAccounts } from '../../infra/local/sim/api-server/resources.ts';
import { createObject } from '../../infra/local/sim/api-server/create.ts';
import { bootstrapAccess, ensureNamespace } from '../../infra/local/sim/api-server/bootstrap.ts';
import { describeCluster } from './cluster.suite.ts';
import type { ClusterUnderTest } from './cluster/harness.ts';
import { createMemoryHands } from './cluster/memory-hands.ts';

const relay = { namespace: 'serverless-kubelet', name: 'relay' };
const tickMs = 5000;

async function open(): Promise<ClusterUnderTest> {
  let now = 1_795_411_200_000;
  const cluster = createMemoryCluster({ now: () => now, caPem: '-----BEGIN CERTIFICATE-----' });
  cluster.tick();
  bootstrapAccess(cluster.state());
  ensureNamespace(cluster.state(), relay.namespace);
  createObject(
    cluster.state(),
    { user: undefined, resource: serviceAccounts, subresource: '', namespace: relay.namespace, name: '' },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: relay.name } },
  );
  return {
    nodeApi: cluster.nodeApi,
    api: cluster.api,
    hands: createMemoryHands(cluster, relay),
    clusterUid: cluster.uid(),
    relayUsername: `system:serviceaccount:${relay.namespace}:${relay.name}`,
    elapse: async (ms) => {
      const until = now + ms;
      while (now < until) {
        now = Math.min(until, now + tickMs);
        cluster.tick();
      }
    },
    close: async () => undefined,
  };
}

describeCluster('in memory', open);
