import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { TLSSocket } from 'node:tls';
import { pipeline } from 'node:stream/promises';
import { responseTo } from '../../../../shared/adapters/kubernetes/response-to.ts';
import { answerText } from './call.ts';
import type { KubeletCall } from './call.ts';
import type { ServingKeys } from './serving-files.ts';

/** Below what metrics-server waits for an answer, and above what the leader takes. */
const timeoutMs = 9_000;

/**
 * Has the leader answer a question for metrics, at the same port of its own address. Both replicas hold the key of the
 * node's certificate and nobody else does: each shows it to the other, and shows nothing else.
 */
export async function forwardToLeader(
  { request, response, signal }: KubeletCall,
  leader: { readonly address: string; readonly port: number; readonly keys: ServingKeys },
): Promise<void> {
  const { address, port, keys } = leader;
  const outgoing = httpsRequest({
    host: address,
    port,
    path: request.url,
    agent: false,
    cert: keys.cert,
    key: keys.key,
    // Who answers is known by its certificate itself: it names the nodes, and not the replica's address.
    rejectUnauthorized: false,
    headers: { accept: 'text/plain, application/json', connection: 'close' },
  });
  const answered = responseTo(outgoing, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
  outgoing.once('socket', (socket) =>
    socket.once('secureConnect', () => {
      if (isHolder(socket, keys)) outgoing.end();
      else outgoing.destroy(new Error('another certificate'));
    }),
  );
  let answer: IncomingMessage;
  try {
    answer = await answered;
  } catch {
    return answerText(response, 503, 'the replica that measures the pods could not be reached');
  }
  const type = answer.headers['content-type'] ?? 'text/plain';
  response.writeHead(answer.statusCode ?? 502, { 'content-type': type });
  // Either end may go in the middle of it: then the other goes too.
  await pipeline(answer, response).catch(() => undefined);
}

/** Whether the other end of a connection has shown that it holds the key of this port's own certificate. */
export function isHolder(socket: unknown, { cert }: ServingKeys): boolean {
  if (!(socket instanceof TLSSocket)) return false;
  const shown = socket.getPeerX509Certificate();
  return shown !== undefined && shown.raw.equals(new X509Certificate(cert).raw);
}
