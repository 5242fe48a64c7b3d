import type { ApiClient } from '../../../infra/local/cluster/api-client.ts';
import { createApiClient } from '../../../infra/local/cluster/api-client.ts';
import { parseOwnKubeconfig } from '../../../infra/local/cluster/kubeconfig.ts';
import type { Attachment } from '../../../infra/local/cluster/attach.ts';
import { createClusterApi } from '../../../shared/adapters/kubernetes/cluster-api.ts';
import { createKubernetesClient } from '../../../shared/adapters/kubernetes/http.ts';
import type { KubernetesClient } from '../../../shared/adapters/kubernetes/http.ts';
import { createNodeApi } from '../../../shared/adapters/kubernetes/node-api.ts';
import { node } from './harness.ts';
import type { ClusterUnderTest } from './harness.ts';
import { createHttpHands, waitForDefaultAccount } from './http-hands.ts';

/** A cluster that is reached over HTTP, and what only such a one has: raw requests and watches. */
export interface HttpClusterUnderTest extends ClusterUnderTest {
  /** As the app itself; `asNode` makes it one of its nodes. */
  readonly app: KubernetesClient;
  readonly relay: KubernetesClient;
  readonly admin: ApiClient;
  /** Makes the versions of all that has happened so far too old for a watch. */
  forgetHistory(): Promise<void>;
}

export interface HttpClusterOptions {
  /** The administrator's, as JSON. */
  readonly kubeconfig: string;
  readonly attached: Attachment;
  /** An expired token with the claims of this one. */
  readonly expire: (token: string) => string;
  readonly elapse: (ms: number) => Promise<void>;
  readonly forgetHistory: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The ports and hands of a started cluster that aci-1 and aci-2 are attached to. */
export async function openHttpCluster(options: HttpClusterOptions): Promise<HttpClusterUnderTest> {
  const { attached } = options;
  const { endpoint, credential } = parseOwnKubeconfig(options.kubeconfig);
  const admin = createApiClient(endpoint, credential);
  const client = (token: string): KubernetesClient =>
    createKubernetesClient({
      server: attached.endpoint.url,
      caPem: attached.caPem,
      getToken: async () => token,
      requestTimeoutMs: 10_000,
      userAgent: 'serverless-kubelet-test/1',
    });
  const app = client(attached.appToken);
  const relay = client(attached.relayToken);
  await waitForDefaultAccount(admin);
  return {
    nodeApi: (name) => createNodeApi(app, name),
    api: createClusterApi(app, { reviewAsNode: node }),
    hands: createHttpHands({
      admin,
      relay: { namespace: attached.namespace, serviceAccount: attached.relayServiceAccount },
      expire: options.expire,
    }),
    clusterUid: attached.clusterUid,
    relayUsername: `system:serviceaccount:${attached.namespace}:${attached.relayServiceAccount}`,
    app,
    relay,
    admin,
    elapse: options.elapse,
    forgetHistory: options.forgetHistory,
    close: async () => {
      for (const one of [app, relay, admin]) one.close();
      await options.close();
    },
  };
}
