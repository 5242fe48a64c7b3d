import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { allocatePort, allocatePorts, isPortFree } from '../../../infra/local/ports.ts';

describe('ports', () => {
  it('are free and all different', async () => {
    const ports = await allocatePorts(5);
    expect(new Set(ports).size).toBe(5);
    expect(await Promise.all(ports.map((port) => isPortFree(port)))).toEqual([true, true, true, true, true]);
  });

  it('stay what they were, unless somebody took them', async () => {
    const wanted = await allocatePort();
    expect(await allocatePort(wanted)).toBe(wanted);
    const server = createServer().listen(wanted, '127.0.0.1');
    await once(server, 'listening');
    expect(await allocatePort(wanted)).not.toBe(wanted);
    server.close();
  });
});
