import { connect } from 'node:net';
import { hostPort } from '../../../../shared/core/host-port.ts';
import { dialError } from './http-probe.ts';
import type { Endpoint } from './http-probe.ts';

/** One connection. Undefined: it could be opened; otherwise why not, in a kubelet's words. Never rejects. */
export function probeTcp(endpoint: Endpoint): Promise<string | undefined> {
  const { address: host, port, timeoutMs } = endpoint;
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (why: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(why);
    };
    const timer = setTimeout(() => end(`dial tcp ${hostPort(host, port)}: i/o timeout`), timeoutMs);
    socket.once('connect', () => end(undefined));
    socket.on('error', (error: NodeJS.ErrnoException) => end(dialError(endpoint, error)));
  });
}
