import { request } from '../../../../shared/adapters/kubernetes/http.ts';
import type { KubernetesClient } from '../../../../shared/adapters/kubernetes/http.ts';
import { namespacedPath, selectorValue } from '../../../../shared/adapters/kubernetes/path.ts';
import { ok } from '../../../../shared/core/fault.ts';
import type { Result } from '../../../../shared/core/fault.ts';
import type { Pod } from '../../../../shared/core/kubernetes/pod.ts';
import { parseListPage } from '../../../../shared/wire/kubernetes/meta.ts';
import { parsePod } from '../../../../shared/wire/pod.ts';

/** A pod of this node, by a list of one: the relay may list pods, not get them. Undefined: it is absent, or another node's. */
export async function findPod(
  client: KubernetesClient,
  wanted: { readonly node: string; readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<Result<Pod | undefined>> {
  const fieldSelector = `metadata.name=${selectorValue(wanted.name)},spec.nodeName=${selectorValue(wanted.node)}`;
  const found = await request(
    client,
    { method: 'GET', path: namespacedPath(wanted.namespace, 'pods'), query: { fieldSelector } },
    (json) => parseListPage(json, 'PodList', parsePod),
    signal,
  );
  if (!found.ok) return found;
  return ok(found.value.items.find((pod) => pod.metadata.name === wanted.name && pod.spec.nodeName === wanted.node));
}
