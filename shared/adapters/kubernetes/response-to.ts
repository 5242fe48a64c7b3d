import type { ClientRequest, IncomingMessage } from 'node:http';

/**
 * The response to a request that the caller ends; rejects with the request's error, also when the signal aborts. Who answers
 * 101 closes the connection, which is neither a response nor an error, nor is an abort after it: that is `ECONNRESET`.
 */
export function responseTo(request: ClientRequest, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
    endWith(signal, request);
    request.on('close', () => reject(Object.assign(new Error('no response'), { code: 'ECONNRESET' })));
  });
}

/**
 * Ends the request when the signal aborts; once there is a response, by ending that. Destroying the request (as its own
 * `signal` does) reads what is left of the response to its end, upon which the socket goes back to the pool: its error then
 * finds nobody to hear it and ends the process, when a server's last line and the end of its stream come together.
 */
function endWith(signal: AbortSignal, request: ClientRequest): void {
  let ending: { destroy(error: Error): unknown } = request;
  const abort = (): void => void ending.destroy(new Error('aborted'));
  request.once('response', (response) => {
    ending = response;
  });
  request.once('close', () => signal.removeEventListener('abort', abort));
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
}
