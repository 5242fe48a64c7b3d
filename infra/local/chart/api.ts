/** What a kubelet asks of the API server for the relay's pods; as the administrator, since there is no node of this name. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { createApiClient } from '../cluster/api-client.ts';
import { parseOwnKubeconfig } from '../cluster/kubeconfig.ts';
import { podSchema } from './pod.ts';
import type { Pod } from './pod.ts';

export interface PodApi {
  /** The pods of the chart's Deployment that are not being deleted. */
  listPods(): Promise<readonly Pod[]>;
  /** Texts by key. */
  readConfigMap(name: string): Promise<ReadonlyMap<string, Buffer>>;
  readSecret(name: string): Promise<ReadonlyMap<string, Buffer>>;
  /** A token of the pod's ServiceAccount that ends with the pod. */
  requestToken(pod: Pod, wanted: { audience: string | undefined; expirationSeconds: number }): Promise<string>;
  writeStatus(pod: Pod, status: object): Promise<void>;
  close(): void;
}

const selector = 'app.kubernetes.io/component=relay';

/** Opens the API server of a kubeconfig that was written here. Every call rejects with what the server said. */
export function openPodApi(kubeconfig: string, namespace: string): PodApi {
  const { endpoint, credential } = parseOwnKubeconfig(readFileSync(kubeconfig, 'utf8'));
  const client = createApiClient(endpoint, credential);
  const path = `/api/v1/namespaces/${namespace}`;
  const ask = async <T>(schema: z.ZodType<T>, call: Parameters<typeof client.send>[0]): Promise<T> => {
    const { status, body } = await client.send({ timeoutMs: 10_000, ...call });
    if (status >= 400) throw new Error(`${call.method ?? 'GET'} ${call.path}: ${status} ${JSON.stringify(body)}`);
    return schema.parse(body);
  };
  const texts = z.object({ data: z.record(z.string(), z.string()).default({}) });
  return {
    listPods: async () => {
      const list = z.object({ items: z.array(podSchema) });
      const { items } = await ask(list, { path: `${path}/pods?labelSelector=${encodeURIComponent(selector)}` });
      return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    },
    readConfigMap: async (name) => {
      const { data } = await ask(texts, { path: `${path}/configmaps/${name}` });
      return new Map(Object.entries(data).map(([key, text]) => [key, Buffer.from(text)]));
    },
    readSecret: async (name) => {
      const { data } = await ask(texts, { path: `${path}/secrets/${name}` });
      return new Map(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64')]));
    },
    requestToken: async ({ metadata, spec }, { audience, expirationSeconds }) => {
      const body = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          ...(audience === undefined ? {} : { audiences: [audience] }),
          expirationSeconds,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: metadata.name, uid: metadata.uid },
        },
      };
      const answer = z.object({ status: z.object({ token: z.string() }) });
      const call = { method: 'POST' as const, path: `${path}/serviceaccounts/${spec.serviceAccountName}/token`, body };
      return (await ask(answer, call)).status.token;
    },
    writeStatus: async ({ metadata }, status) => {
      await ask(z.unknown(), {
        method: 'PATCH',
        path: `${path}/pods/${metadata.name}/status`,
        headers: { 'content-type': 'application/strategic-merge-patch+json' },
        body: { metadata: { uid: metadata.uid }, status },
      });
    },
    close: () => client.close(),
  };
}
