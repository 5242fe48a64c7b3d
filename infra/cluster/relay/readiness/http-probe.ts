import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { hostPort } from '../../../../shared/core/host-port.ts';
import type { ProbeHandler } from '../../../../shared/core/kubernetes/pod.ts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
}

type HttpGet = Extract<ProbeHandler, { readonly kind: 'httpGet' }>;

/** Sent as UTF-8, as Go does: node:http writes one byte of each character, and throws where it can't. */
const headerText = (value: string): string => Buffer.from(value.replaceAll(/[\p{Cc}--\t]/gv, ' ')).toString('latin1');

/** Headers of the spec replace those of the prober (pkg/probe/http). */
function headersOf(endpoint: Endpoint, { headers }: HttpGet): Record<string, string> {
  const own = { 'user-agent': 'kube-probe/serverless-kubelet', accept: '*/*', connection: 'close' };
  const given = headers.filter(({ name }) => /^[\w!#$%&'*+.^`|~-]+$/.test(name));
  return {
    host: hostPort(endpoint.address, endpoint.port),
    ...own,
    ...Object.fromEntries(given.map(({ name, value }) => [name.toLowerCase(), headerText(value)])),
  };
}

/**
 * One GET. Undefined: the answer is from 200 to 399; a redirect is not followed, since a kubelet takes one to another host
 * for a success too. Otherwise why not, in a kubelet's words. Certificates are not verified. Never rejects.
 */
export function probeHttp(endpoint: Endpoint, handler: HttpGet): Promise<string | undefined> {
  const { address: host, port, timeoutMs } = endpoint;
  const isTls = handler.scheme === 'HTTPS';
  const path = handler.path.startsWith('/') ? handler.path : `/${handler.path}`;
  const url = `${isTls ? 'https' : 'http'}://${hostPort(host, port)}${path}`;
  return new Promise((resolve) => {
    const options = {
      host,
      port,
      path: encodeURI(path).replaceAll('%25', '%'),
      headers: headersOf(endpoint, handler),
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
      rejectUnauthorized: false,
    };
    const answered = ({ statusCode = 0 }: IncomingMessage): void => {
      resolve(statusCode >= 200 && statusCode < 400 ? undefined : `HTTP probe failed with statuscode: ${statusCode}`);
      request.destroy();
    };
    const request = (isTls ? httpsRequest : httpRequest)(options, answered);
    // Without a listener a 101 closes the connection, and neither answer nor error is reported.
    request.on('upgrade', (response, socket) => {
      socket.destroy();
      answered(response);
    });
    request.on('error', (error: NodeJS.ErrnoException) => resolve(`Get "${url}": ${dialError(endpoint, error)}`));
    request.end();
  });
}

/** In Go's words, which people search for. */
export function dialError(endpoint: Pick<Endpoint, 'address' | 'port'>, error: NodeJS.ErrnoException): string {
  const dial = `dial tcp ${hostPort(endpoint.address, endpoint.port)}`;
  switch (error.code) {
    case 'ECONNREFUSED':
      return `${dial}: connect: connection refused`;
    case 'EHOSTUNREACH':
      return `${dial}: connect: no route to host`;
    case 'ENETUNREACH':
      return `${dial}: connect: network is unreachable`;
    case 'ECONNRESET':
      return 'read: connection reset by peer';
    case 'ABORT_ERR':
    case 'ETIMEDOUT':
      return 'context deadline exceeded';
    default:
      return error.message.slice(0, 120);
  }
}
