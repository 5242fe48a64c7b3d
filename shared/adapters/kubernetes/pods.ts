import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { Pod } from '../../core/kubernetes/pod.ts';
import { buildPodStatusPatch } from '../../core/kubernetes/status-patch.ts';
import type { NodeApi } from '../../ports/node-api.ts';
import { parseAnyObject, parseListPage } from '../../wire/kubernetes/meta.ts';
import { parsePod } from '../../wire/pod.ts';
import { transient } from './fault.ts';
import { request } from './http.ts';
import type { KubernetesClient } from './http.ts';
import { createJointPods } from './joint-pods.ts';
import type { SomePods } from './joint-pods.ts';
import { list } from './list.ts';
import { apiPath, namespacedPath, selectorValue } from './path.ts';
import { defined } from '../../core/defined.ts';

export type PodApi = Pick<NodeApi, 'listPods' | 'getPod' | 'patchPodStatus' | 'deletePod'>;

/** The pods bound to one node. `client` acts as that node. */
export function createPodApi(client: KubernetesClient, nodeName: string): PodApi {
  const onNode = `spec.nodeName=${selectorValue(nodeName)}`;

  const getPod: PodApi['getPod'] = async (ref, signal) => {
    const found = await list(
      client,
      {
        path: namespacedPath(ref.namespace, 'pods'),
        fieldSelector: `${onNode},metadata.name=${selectorValue(ref.name)}`,
        kind: 'PodList',
        parseItem: (item) => podOf(item, nodeName),
      },
      signal,
    );
    if (!found.ok) return found;
    const [pod, ...others] = found.value;
    const isAsked = pod === undefined || (pod.metadata.namespace === ref.namespace && pod.metadata.name === ref.name);
    return isAsked && others.length === 0
      ? ok(pod)
      : fail(transient('the API server listed pods that were not asked for'));
  };

  const listSome = async (limit: number, signal: AbortSignal): Promise<Result<SomePods>> => {
    const path = apiPath('api', 'v1', 'pods');
    const query = { limit: String(limit), fieldSelector: onNode };
    const read = (json: unknown) => parseListPage(json, 'PodList', (item) => podOf(item, nodeName));
    const page = await request(client, { method: 'GET', path, query }, read, signal);
    return page.ok ? ok({ pods: page.value.items, isAll: page.value.continueToken === undefined }) : page;
  };

  return {
    getPod: createJointPods({ getPod, listSome }),
    listPods: (signal) =>
      list(
        client,
        {
          path: apiPath('api', 'v1', 'pods'),
          fieldSelector: onNode,
          kind: 'PodList',
          parseItem: (item) => podOf(item, nodeName),
        },
        signal,
      ),
    patchPodStatus: async (pod, status, signal) => {
      const { namespace, name, uid } = pod.metadata;
      const path = namespacedPath(namespace, 'pods', name, 'status');
      const patched = await request(
        client,
        { method: 'PATCH', path, body: buildPodStatusPatch(pod, status) },
        parsePod,
        signal,
      );
      if (patched.ok || !mayHideAnotherPod(patched.fault.kind)) return patched;
      const current = await getPod({ namespace, name }, signal);
      if (!current.ok || current.value?.metadata.uid === uid) return patched;
      return fail({ kind: 'not-found', code: 'NotFound', message: `pod ${namespace}/${name} with UID ${uid} is gone` });
    },
    deletePod: async (pod, options, signal) => {
      const { namespace, name, uid } = pod.metadata;
      const body = deleteOptions(uid, options.gracePeriodSeconds ?? 0);
      const path = namespacedPath(namespace, 'pods', name);
      return absentIsDone(await request(client, { method: 'DELETE', path, body }, parseAnyObject, signal));
    },
  };
}

/** A list that ignores its selector is garbage: acting on a pod of another node would be worse than waiting. */
function podOf(item: unknown, nodeName: string): Pod | undefined {
  const pod = parsePod(item);
  return pod?.spec.nodeName === nodeName ? pod : undefined;
}

/**
 * When a pod of the same name took the place of ours, the server speaks of the resourceVersion (409), of the immutable
 * UID (422), or, on another node, of rights (403): seen on 1.36.3. Only a read says which it was.
 */
const mayHideAnotherPod = (kind: string): boolean => kind === 'conflict' || kind === 'rejected' || kind === 'denied';

/** `meta/v1.DeleteOptions` that name the object's UID; without a grace period, what the kind's own rules say. */
export const deleteOptions = (uid: string, gracePeriodSeconds?: number) => ({
  apiVersion: 'v1',
  kind: 'DeleteOptions',
  preconditions: { uid },
  ...defined({ gracePeriodSeconds }),
});

/** A DELETE of something that is not there, or that is another object by now, has nothing left to do. */
export function absentIsDone(deleted: Result<true>): Result<void> {
  if (deleted.ok || deleted.fault.kind === 'not-found') return ok(undefined);
  return deleted.fault.kind === 'conflict' && isUidConflict(deleted.fault.message) ? ok(undefined) : deleted;
}

/** Wordings of apimachinery's storage and of its generic registry. */
const isUidConflict = (message: string): boolean => /\bUID in (the )?precondition\b/i.test(message);
