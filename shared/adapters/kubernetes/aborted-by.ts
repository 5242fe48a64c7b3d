import type { ClientRequest } from 'node:http';

/**
 * Ends the request when the signal aborts; once there is a response, by ending that. Destroying the request (as its own
 * `signal` does) reads what is left of the response to its end, upon which the socket goes back to the pool: its error then
 * finds nobody to hear it and ends the process, when a server's last line and the end of its stream come together.
 */
export function abortedBy(signal: AbortSignal, request: ClientRequest): ClientRequest {
  let ending: { destroy(error: Error): unknown } = request;
  const abort = (): void => void ending.destroy(new Error('aborted'));
  request.once('response', (response) => {
    ending = response;
  });
  request.once('close', () => signal.removeEventListener('abort', abort));
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  return request;
}
