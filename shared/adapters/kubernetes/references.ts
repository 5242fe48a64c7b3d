import { ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { JsonObject } from '../../core/json.ts';
import { isShort, longerRequest, longerToken } from '../../core/kubernetes/references.ts';
import type { PodToken, TokenRequest } from '../../core/kubernetes/references.ts';
import type { NodeApi } from '../../ports/node-api.ts';
import { parseConfigMap, parseResourceVersion, parseSecret, parseService } from '../../wire/kubernetes/references.ts';
import { parseClaim, parseVolume } from '../../wire/kubernetes/storage.ts';
import { parseTokenRequest } from '../../wire/kubernetes/token.ts';
import { request } from './http.ts';
import type { KubernetesClient } from './http.ts';
import { list } from './list.ts';
import { apiPath, namespacedPath } from './path.ts';
import { listTrustBundles } from './trust-bundles.ts';

export type ReferenceApi = Pick<
  NodeApi,
  | 'getSecret'
  | 'getConfigMap'
  | 'getReferenceVersion'
  | 'getPersistentVolumeClaim'
  | 'getPersistentVolume'
  | 'listServices'
  | 'listTrustBundles'
  | 'createToken'
>;

/** What the pods of a node may refer to. `client` acts as that node, so that it sees no more. */
export function createReferenceApi(client: KubernetesClient): ReferenceApi {
  return {
    getSecret: ({ namespace, name }, signal) =>
      request(client, { method: 'GET', path: namespacedPath(namespace, 'secrets', name) }, parseSecret, signal),
    getConfigMap: ({ namespace, name }, signal) =>
      request(client, { method: 'GET', path: namespacedPath(namespace, 'configmaps', name) }, parseConfigMap, signal),
    getReferenceVersion: (kind, { namespace, name }, signal) => {
      const path = namespacedPath(namespace, kind === 'secret' ? 'secrets' : 'configmaps', name);
      return request(client, { method: 'GET', path, accept: metadataOnly }, parseResourceVersion, signal);
    },
    getPersistentVolumeClaim: ({ namespace, name }, signal) =>
      request(
        client,
        { method: 'GET', path: namespacedPath(namespace, 'persistentvolumeclaims', name) },
        parseClaim,
        signal,
      ),
    getPersistentVolume: (name, signal) =>
      request(client, { method: 'GET', path: apiPath('api', 'v1', 'persistentvolumes', name) }, parseVolume, signal),
    listServices: async (namespace, signal) => {
      const path = namespacedPath(namespace, 'services');
      const services = await list(client, { path, kind: 'ServiceList', parseItem: parseService }, signal);
      return services.ok
        ? ok(services.value.filter(({ clusterIP }) => clusterIP !== '' && clusterIP !== 'None'))
        : services;
    },
    listTrustBundles: (selector, signal) => listTrustBundles(client, selector, signal),
    createToken: async (wanted, signal) => {
      const first = await requestToken(client, wanted, signal);
      if (!first.ok || !isShort(wanted, first.value)) return first;
      return longerToken(first.value, await requestToken(client, longerRequest(wanted), signal));
    },
  };
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches */
const metadataOnly = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json';

function requestToken(client: KubernetesClient, wanted: TokenRequest, signal: AbortSignal): Promise<Result<PodToken>> {
  const path = namespacedPath(wanted.namespace, 'serviceaccounts', wanted.serviceAccountName, 'token');
  return request(client, { method: 'POST', path, body: tokenRequestBody(wanted) }, parseTokenRequest, signal);
}

const tokenRequestBody = (wanted: TokenRequest): JsonObject => ({
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenRequest',
  spec: {
    audiences: wanted.audiences,
    expirationSeconds: wanted.expirationSeconds,
    boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: wanted.pod.name, uid: wanted.pod.uid },
  },
});
