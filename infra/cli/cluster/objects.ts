import { leaseNamespace } from '../../../shared/core/kubernetes/node.ts';
import { parseJson } from '../../../shared/wire/json-text.ts';
import type { CliContext } from '../context.ts';
import type { ApiAnswer, ApiRequest } from './api.ts';
import { clusterStop } from './cluster-fault.ts';
import type { ClusterFault } from './cluster-fault.ts';
import { failure } from '../stop.ts';

/** Of a node's Lease. */
export const nodeLeasePath = (node: string): string =>
  `/apis/coordination.k8s.io/v1/namespaces/${leaseNamespace}/leases/${node}`;

type WithApi = Pick<CliContext, 'api'>;

/** GET of an object or a list, parsed; undefined where there is none. Any other failure is a `Stop` with a fix. */
export async function getObject(
  { api }: WithApi,
  path: string,
  options?: Pick<ApiRequest, 'timeoutMs'>,
): Promise<unknown> {
  const answer = await api.send({ path, ...options });
  return answer.kind === 'not-found' ? undefined : parsed(answer);
}

/** POST of an object; answers what came of it. Not idempotent: a name that is taken is a `Stop`. */
export async function createObject(
  { api }: WithApi,
  path: string,
  body: object,
  options?: Pick<ApiRequest, 'as'>,
): Promise<unknown> {
  return parsed(await api.send({ method: 'POST', path, body, ...options }));
}

/** Makes an object be as `body` says, whoever had its fields before. Idempotent. */
export async function applyObject({ api }: WithApi, path: string, body: object): Promise<void> {
  parsed(await api.send({ method: 'PATCH', path: `${path}?fieldManager=serverless-kubelet&force=true`, body }));
}

/** Deletes an object; one that is not there is deleted. Does not wait for finalizers. Idempotent. */
export async function deleteObject({ api }: WithApi, path: string): Promise<void> {
  const answer = await api.send({ method: 'DELETE', path });
  if (answer.kind !== 'answered' && answer.kind !== 'not-found') throw clusterStop(answer);
}

function parsed(answer: ApiAnswer | ClusterFault): unknown {
  if (answer.kind !== 'answered') throw clusterStop(answer);
  const json = parseJson(answer.text);
  if (json === undefined) throw failure('the API server did not answer in JSON', 'see whether a proxy is in between');
  return json;
}
