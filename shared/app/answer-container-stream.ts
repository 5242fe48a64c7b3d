import { isContainerName } from '../core/pod/container-name.ts';
import { formatStreamAnswer, parseStreamRequest } from '../wire/relay-protocol/stream-session.ts';
import type { ClusterDeps, Deps } from './deps.ts';
import { faultAnswer } from './fault-answer.ts';
import { openStream } from './open-stream.ts';
import { problem } from './run-http.ts';
import type { Answer, IncomingRequest } from './run-http.ts';

/** Of a terminal's size. */
const mostBodyBytes = 1024;

/**
 * `POST …/containers/{container}/exec` with the size of a terminal, and `…/attach` without a body: 200 with one session and its
 * password, which nothing may keep.
 */
export async function answerContainerStream(
  deps: Deps,
  cluster: ClusterDeps,
  request: IncomingRequest,
  { kind, signal }: { readonly kind: 'exec' | 'attach'; readonly signal: AbortSignal },
): Promise<Answer> {
  const { namespace = '', pod = '', uid = '', container = '' } = request.params;
  const node = cluster.nodes.get(request.params['node'] ?? '');
  if (node === undefined) return problem(404, 'NodeNotFound', 'the node is not registered with this app');
  // It becomes a part of ARM's path, where `..` would be another one's.
  if (!isContainerName(container)) return problem(400, 'BadRequest', 'container: the name of a container');
  const target = { namespace, name: pod, uid, container };
  if (kind === 'attach') return answer(await openStream(deps, node, target, signal));
  const body = await request.text();
  const asked = body.length > mostBodyBytes ? undefined : parseStreamRequest(body);
  if (asked === undefined) return problem(400, 'BadRequest', 'terminalSize: columns and rows, each from 1 to 1000');
  return answer(await openStream(deps, node, { ...target, ...asked }, signal));
}

const answer = (opened: Awaited<ReturnType<typeof openStream>>): Answer =>
  opened.ok
    ? { status: 200, headers: { 'cache-control': 'no-store' }, jsonBody: { ...formatStreamAnswer(opened.value) } }
    : faultAnswer(opened.fault);
