/** `kubectl port-forward` to a pod without an address, down to the agent that was built, and to real servers. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { whyNoGo } from '../fixtures/agent-go.ts';
import { AgentStreams } from '../relay/agent-streams.ts';
import { until } from '../relay/fake-app.ts';
import { PortClient } from '../relay/port-client.ts';
import { SpdyClient } from '../relay/spdy-client.ts';

const reason = await whyNoGo();

describe.skipIf(reason !== undefined)(
  `port-forward through the agent${reason === undefined ? '' : ` is not tried: ${reason}`}`,
  () => {
    const streams = AgentStreams.use();

    describe('port-forward of a pod without an address', () => {
      const servers: Server[] = [];
      const sockets = new Set<Socket>();
      beforeEach(() => streams.rig.set({ podIP: undefined }));
      afterEach(() => {
        for (const socket of sockets) socket.destroy();
        for (const server of servers.splice(0)) server.close();
      });

      async function serve(onConnection: (socket: Socket) => void): Promise<number> {
        const server = createServer({ allowHalfOpen: true }, (socket) => {
          sockets.add(socket);
          socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
          onConnection(socket);
        });
        servers.push(server);
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
        const address: AddressInfo | string | null = server.address();
        return typeof address === 'object' ? (address?.port ?? 0) : 0;
      }
      const echo = (socket: Socket): void => void socket.pipe(socket);
      async function forwarded(): Promise<PortClient> {
        const client = await streams.rig.spdy('/portForward/ns/p', ['portforward.k8s.io']);
        if (client instanceof SpdyClient) return new PortClient(client);
        throw new Error(`${client.status} ${client.body}`);
      }

      it('is one session, with any number of connections', async () => {
        const port = await serve(echo);
        const client = await forwarded();
        const pairs: { readonly error: number; readonly data: number }[] = [];
        for (let index = 0; index < 40; index += 1) pairs.push(await client.connect(port));
        for (const [index, { data }] of pairs.entries()) client.spdy.data(data, `hello ${index}`, true);
        await until('all came back', () =>
          pairs.every(({ data }, index) => client.spdy.text(data) === `hello ${index}`),
        );
        expect(pairs.map(({ error }) => client.spdy.text(error)).join('')).toBe('');
        expect(streams.rig.asked.length).toBe(1);
        client.spdy.close();
        await until('nothing is left', () => streams.rig.sessions.size === 0 && streams.rig.aci.running === 0, 5_000);
      });

      it('megabytes both ways at once, byte for byte, beside a connection that is idle', async () => {
        const port = await serve(echo);
        const client = await forwarded();
        const idle = await client.connect(port);
        const { data } = await client.connect(port);
        const sent = randomBytes(3_000_000);
        for (let at = 0; at < sent.length; at += 32_000)
          client.spdy.data(data, sent.subarray(at, at + 32_000), at + 32_000 >= sent.length);
        await until('all of it', () => client.spdy.stream(data).hasEnded);
        expect(Buffer.concat(client.spdy.stream(data).chunks).equals(sent)).toBe(true);
        client.spdy.data(idle.data, 'x', true);
        await until('it is answered', () => client.spdy.text(idle.data) === 'x');
      });

      it('a port that nobody listens on is named, and the others go on', async () => {
        const port = await serve(echo);
        const client = await forwarded();
        const bad = await client.connect(1);
        const good = await client.connect(port);
        await until('it is told', () => client.spdy.text(bad.error) !== '');
        expect(client.spdy.text(bad.error)).toMatch(
          /^error forwarding port 1 to pod p_ns, uid u1: failed to connect to localhost:1 inside the pod: .*connection refused/,
        );
        client.spdy.data(good.data, 'x', true);
        await until('it is answered', () => client.spdy.text(good.data) === 'x');
      });

      it('is refused where the group has no agent', async () => {
        streams.rig.aci.agent = undefined;
        expect(await streams.rig.spdy('/portForward/ns/p', ['portforward.k8s.io'])).toMatchObject({ status: 501 });
        streams.rig.aci.agent = { agent: 'true', ports: 'echo no such file' };
        expect(await streams.rig.spdy('/portForward/ns/p', ['portforward.k8s.io'])).toMatchObject({ status: 501 });
        expect(streams.rig.sessions.size).toBe(0);
      });

      it('a session that is cut ends all connections, and says so', async () => {
        const port = await serve(echo);
        const client = await forwarded();
        const { data, error } = await client.connect(port);
        client.spdy.data(data, 'x');
        await until('it is answered', () => client.spdy.text(data) === 'x');
        streams.rig.aci.cut();
        await until('it is told', () => client.spdy.hasGoneAway);
        await until('nothing is left', () => streams.rig.sessions.size === 0);
        expect(client.spdy.text(error)).toBe(
          `error forwarding port ${port} to pod p_ns, uid u1: the connection to the container ended`,
        );
      });
    });
  },
);
