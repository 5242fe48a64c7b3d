import { isContainerName } from '../core/pod/container-name.ts';
import type { DialAnswer } from '../wire/relay-protocol/session-dial.ts';
import { within } from './deps.ts';
import type { ClusterDeps, Deps } from './deps.ts';
import { faultAnswer } from './fault-answer.ts';
import { openStream } from './open-stream.ts';
import { problem } from './run-http.ts';
import type { Answer, IncomingRequest } from './run-http.ts';

const dialMs = 10_000;

/**
 * `POST …/containers/{container}/session-dial`: 200 with whether the app itself reaches a session of the container, as it has to
 * for words to agents. The session only reads: nothing is started in the container. Costs one write of ARM's.
 */
export async function answerSessionDial(
  deps: Deps,
  cluster: ClusterDeps,
  request: IncomingRequest,
  signal: AbortSignal,
): Promise<Answer> {
  const { namespace = '', pod: name = '', uid = '', container = '' } = request.params;
  const node = cluster.nodes.get(request.params['node'] ?? '');
  if (node === undefined) return problem(404, 'NodeNotFound', 'the node is not registered with this app');
  if (!isContainerName(container)) return problem(400, 'BadRequest', 'container: the name of a container');
  const wish = { namespace, name, uid, container, kind: 'attach', terminalSize: undefined, farEnds: [] } as const;
  const opened = await openStream(deps, node, wish, signal);
  if (!opened.ok) return faultAnswer(opened.fault);
  const dialled = await deps.dialSession(opened.value, within(deps, signal, dialMs));
  const answer: DialAnswer = dialled.ok ? { reached: true } : { reached: false, message: dialled.fault.message };
  return { status: 200, headers: { 'cache-control': 'no-store' }, jsonBody: { ...answer } };
}
