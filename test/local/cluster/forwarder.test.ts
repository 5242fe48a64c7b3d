import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { startForwarder } from '../../../infra/local/cluster/forwarder.ts';
import { allocatePort, isPortFree } from '../../../infra/local/ports.ts';

async function echo() {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { server, port };
}

describe('the forwarder', () => {
  it('carries bytes both ways, and an end as an end', async () => {
    const { server, port } = await echo();
    const forwarder = await startForwarder({ listenAddress: '127.0.0.9', port: 0, targetPort: port });
    const socket = connect({ port: forwarder.port, host: forwarder.address, allowHalfOpen: true });
    const payload = 'x'.repeat(1_000_000);
    socket.end(payload);
    expect(await text(socket)).toBe(payload);
    await forwarder.close();
    server.close();
  });

  it('closes a connection whose target does not listen, and goes on', async () => {
    const targetPort = await allocatePort();
    const forwarder = await startForwarder({ listenAddress: '127.0.0.9', port: 0, targetPort });
    const attempt = async () => {
      const socket = connect(forwarder.port, forwarder.address);
      socket.on('error', () => undefined);
      const received = await text(socket).catch(() => '');
      return { received, closed: socket.destroyed };
    };
    expect(await attempt()).toEqual({ received: '', closed: true });
    expect(await attempt()).toEqual({ received: '', closed: true });
    await forwarder.close();
  });

  it('closes what comes before the target is known, and leads there from then on', async () => {
    const { server, port } = await echo();
    let target: number | undefined;
    const forwarder = await startForwarder({ listenAddress: '127.0.0.9', port: 0, targetPort: () => target });
    const answer = async () => {
      const socket = connect(forwarder.port, forwarder.address);
      socket.on('error', () => undefined);
      socket.end('hello');
      return text(socket).catch(() => '');
    };
    expect(await answer()).toBe('');
    target = port;
    expect(await answer()).toBe('hello');
    await forwarder.close();
    server.close();
  });

  it('ends what is open when it is closed, and may be closed twice', async () => {
    const { server, port } = await echo();
    const forwarder = await startForwarder({ listenAddress: '127.0.0.9', port: 0, targetPort: port });
    const socket = connect(forwarder.port, forwarder.address);
    socket.on('error', () => undefined);
    socket.write('hello');
    await once(socket, 'data');
    await Promise.all([once(socket, 'close'), forwarder.close()]);
    await forwarder.close();
    expect(await isPortFree(forwarder.port, forwarder.address)).toBe(true);
    server.close();
  });
});
