/** What an API server does with a WebSocket for a pod's subresource: other names in the path and the query, and then bytes. */
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import type { KeyPair } from '../../infra/local/pki.ts';

const kubeletNames: Readonly<Record<string, string>> = {
  stdin: 'input',
  stdout: 'output',
  stderr: 'error',
  tty: 'tty',
};

/** The path of a kubelet's for one of the API server's. */
export function kubeletPath(url: string): string {
  const { pathname, searchParams } = new URL(url, 'https://api');
  const [, , , , namespace = '', , pod = '', subresource = ''] = pathname.split('/');
  const query = new URLSearchParams();
  for (const [name, value] of searchParams) {
    const kubeletName = kubeletNames[name];
    if (kubeletName !== undefined && value === 'true') query.append(kubeletName, '1');
    if (name === 'command') query.append('command', value);
    if (name === 'ports') query.append('port', value);
  }
  if (subresource === 'portforward') return `/portForward/${namespace}/${pod}?${query.toString()}`;
  return `/${subresource}/${namespace}/${pod}/${searchParams.get('container') ?? ''}?${query.toString()}`;
}

export interface ApiProxy {
  readonly url: string;
  close(): void;
}

/** Forwards to a node's port, with the caller's own credential. */
export async function startApiProxy(pair: KeyPair, kubeletPort: number): Promise<ApiProxy> {
  const server: Server = createServer({ cert: pair.certPem, key: pair.keyPem });
  server.on('upgrade', (request, socket, head) => {
    const far = connect({ host: '127.0.0.1', port: kubeletPort, rejectUnauthorized: false }, () => {
      const headers = Object.entries(request.headers).map(
        ([name, value]) => `${name}: ${[value ?? []].flat().join(', ')}\r\n`,
      );
      far.write(`GET ${kubeletPath(request.url ?? '')} HTTP/1.1\r\n${headers.join('')}\r\n`);
      far.write(head);
      far.pipe(socket);
      socket.pipe(far);
    });
    for (const one of [far, socket]) one.on('error', () => undefined);
    far.on('close', () => socket.destroy());
    socket.on('close', () => far.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const address: AddressInfo | string | null = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return {
    url: `https://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
