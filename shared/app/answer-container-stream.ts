import { isContainerName } from '../core/pod/container-name.ts';
import { farEndsHeader, parseFarEnds } from '../wire/relay-protocol/far-ends.ts';
import type { StreamKind } from '../wire/relay-protocol/paths.ts';
import { formatStreamAnswer, parseStreamRequest } from '../wire/relay-protocol/stream-session.ts';
import type { ClusterDeps, Deps } from './deps.ts';
import { faultAnswer } from './fault-answer.ts';
import { openStream } from './open-stream.ts';
import { problem } from './run-http.ts';
import type { Answer, IncomingRequest } from './run-http.ts';

/** Of a terminal's size. */
const mostBodyBytes = 1024;

/**
 * `POST …/containers/{container}/exec` and `…/portforward` with the size of a terminal, and `…/attach` with or without: 200 with
 * one session and its password, which nothing may keep. An `attach` without one, and each of a relay that does not offer to speak
 * to the agent, shows what the container writes.
 */
export async function answerContainerStream(
  deps: Deps,
  cluster: ClusterDeps,
  request: IncomingRequest,
  { kind, signal }: { readonly kind: StreamKind; readonly signal: AbortSignal },
): Promise<Answer> {
  const { namespace = '', pod = '', uid = '', container = '' } = request.params;
  const node = cluster.nodes.get(request.params['node'] ?? '');
  if (node === undefined) return problem(404, 'NodeNotFound', 'the node is not registered with this app');
  // It becomes a part of ARM's path, where `..` would be another one's.
  if (!isContainerName(container)) return problem(400, 'BadRequest', 'container: the name of a container');
  const farEnds = parseFarEnds(request.headers.get(farEndsHeader) ?? undefined);
  const asked = kind === 'attach' && farEnds.length === 0 ? undefined : await readSize(request);
  if (asked === undefined && kind !== 'attach')
    return problem(400, 'BadRequest', 'terminalSize: columns and rows, each from 1 to 1000');
  const target = { namespace, name: pod, uid, container };
  const wish = { ...target, kind, terminalSize: asked?.terminalSize, farEnds };
  const opened = await openStream(deps, node, wish, signal);
  return opened.ok
    ? { status: 200, headers: { 'cache-control': 'no-store' }, jsonBody: { ...formatStreamAnswer(opened.value) } }
    : faultAnswer(opened.fault);
}

async function readSize(request: IncomingRequest): Promise<ReturnType<typeof parseStreamRequest>> {
  const body = await request.text();
  return body.length > mostBodyBytes ? undefined : parseStreamRequest(body);
}
