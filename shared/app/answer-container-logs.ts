import { isContainerName } from '../core/pod/container-name.ts';
import type { ClusterDeps, Deps } from './deps.ts';
import { faultAnswer } from './fault-answer.ts';
import { readContainerLogs } from './read-logs.ts';
import { problem } from './run-http.ts';
import type { Answer, IncomingRequest } from './run-http.ts';

/** `GET …/containers/{container}/logs?tail=N`: 200 with text, each line after its RFC 3339 instant. */
export async function answerContainerLogs(
  deps: Deps,
  cluster: ClusterDeps,
  request: IncomingRequest,
  signal: AbortSignal,
): Promise<Answer> {
  const { namespace = '', pod = '', uid = '', container = '' } = request.params;
  const node = cluster.nodes.get(request.params['node'] ?? '');
  if (node === undefined) return problem(404, 'NodeNotFound', 'the node is not registered with this app');
  // It becomes a part of ARM's path, where `..` would be another one's.
  if (!isContainerName(container)) return problem(400, 'BadRequest', 'container: the name of a container');
  const tail = request.query.get('tail');
  if (tail !== null && !/^\d{1,9}$/.test(tail)) return problem(400, 'BadRequest', 'tail: a number of lines');
  const wanted = { namespace, name: pod, uid, container, ...(tail === null ? {} : { tail: Number(tail) }) };
  const logs = await readContainerLogs(deps, node, wanted, signal);
  return logs.ok
    ? { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: logs.value }
    : faultAnswer(logs.fault);
}
