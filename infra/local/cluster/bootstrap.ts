/** What a cluster has to hold before pods can be created in it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from './api-client.ts';
import { kubeletClientUser } from './credentials.ts';

const pollMs = 50;
const defaultNamespace = '/api/v1/namespaces/default';

/**
 * Gives the API server's own client the right to call kubelets (which ask by SubjectAccessReview), and waits until the
 * controllers have made what every pod of the default namespace mounts. Idempotent.
 */
export async function bootstrapCluster(api: ApiClient, timeoutMs: number): Promise<void> {
  await upsert(api, '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', kubeletClientBinding);
  const deadline = performance.now() + timeoutMs;
  const wanted = [`${defaultNamespace}/serviceaccounts/default`, `${defaultNamespace}/configmaps/kube-root-ca.crt`];
  for (const path of wanted)
    while ((await statusOf(api, path)) !== 200) {
      if (performance.now() > deadline) throw new Error(`${path} did not appear within ${timeoutMs / 1000} s`);
      await sleep(pollMs);
    }
}

const kubeletClientBinding = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: kubeletClientUser },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:kubelet-api-admin' },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: kubeletClientUser }],
};

async function upsert(api: ApiClient, collection: string, object: { metadata: { name: string } }): Promise<void> {
  const { status } = await api.send({ method: 'POST', path: collection, body: object });
  if (status !== 201 && status !== 409)
    throw new Error(`POST ${collection} of ${object.metadata.name} answered ${status}`);
}

async function statusOf(api: ApiClient, path: string): Promise<number> {
  try {
    return (await api.send({ path })).status;
  } catch {
    return 0;
  }
}
