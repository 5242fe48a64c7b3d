/** Free TCP ports for the parts of the laptop cloud. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

/** `count` different ports that were free on `address` a moment ago; nobody holds them until the caller listens. */
export async function allocatePorts(count: number, address = '127.0.0.1'): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(0, address)));
  const ports = servers.map((server) => portOf(server.address()));
  await Promise.all(servers.map((server) => close(server)));
  return ports;
}

/** One free port on `address`: `preferred` if nobody listens there, so that a second start keeps its address. */
export async function allocatePort(preferred?: number, address = '127.0.0.1'): Promise<number> {
  if (preferred !== undefined && (await isPortFree(preferred, address))) return preferred;
  const [port] = await allocatePorts(1, address);
  if (port === undefined) throw new Error(`no free port on ${address}`);
  return port;
}

/** Whether somebody could listen on `port` of `address` now. */
export async function isPortFree(port: number, address = '127.0.0.1'): Promise<boolean> {
  try {
    await close(await listen(port, address));
    return true;
  } catch {
    return false;
  }
}

async function listen(port: number, address: string): Promise<Server> {
  const server = createServer();
  server.listen({ port, host: address, exclusive: true });
  await once(server, 'listening');
  return server;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}
