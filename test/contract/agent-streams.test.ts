/** `kubectl exec`, `attach` and `port-forward` as they arrive at a node's port, down to the agent that was built, behind a real terminal. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { whyNoGo } from '../fixtures/agent-go.ts';
import { AgentWords } from '../fixtures/agent-words.ts';
import { ChannelClient } from '../relay/channel-client.ts';
import { until } from '../relay/fake-app.ts';
import { PortClient } from '../relay/port-client.ts';
import { SpdyClient } from '../relay/spdy-client.ts';
import { StreamRig } from '../relay/stream-rig.ts';

const reason = await whyNoGo();
const v5 = 'v5.channel.k8s.io';
let words: AgentWords;
let rig: StreamRig;

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const latin = (text: string): Buffer => Buffer.from(text, 'latin1');
const commandOf = (...all: readonly string[]): string =>
  all.map((word) => `command=${encodeURIComponent(word)}`).join('&');
const sh = (script: string, ...args: readonly string[]): readonly string[] => ['sh', '-c', script, ...args];

async function channels(path: string): Promise<ChannelClient> {
  const socket = await rig.webSocket(path, [v5]);
  if (socket instanceof WebSocket) return new ChannelClient(socket);
  throw new Error(`${socket.status}: ${socket.body}`);
}

const exec = (flags: string, ...command: readonly string[]): Promise<ChannelClient> =>
  channels(`/exec/ns/p/c?${flags}&${commandOf(...command)}`);

async function ended(client: ChannelClient): Promise<ChannelClient> {
  await until('the end', () => client.closeCode !== undefined, 30_000);
  return client;
}

const codeOf = (code: number): object =>
  code === 0 ? { status: 'Success' } : { details: { causes: [{ reason: 'ExitCode', message: String(code) }] } };
const failedWith = (message: string): object => ({ status: 'Failure', reason: 'InternalError', message });

describe.skipIf(reason !== undefined)(
  `through the agent${reason === undefined ? '' : ` is not tried: ${reason}`}`,
  () => {
    beforeAll(async () => {
      words = await AgentWords.build();
    }, 300_000);
    afterAll(() => words?.close());
    beforeEach(async () => {
      rig = await StreamRig.open({ times: { presenceMs: 400, lookMs: 200, beginMs: 5_000 } });
      rig.aci.agent = words.of();
    });
    afterEach(() => rig.close());

    describe('exec', () => {
      it('has output and errors apart, the exit code, and the environment of the container', async () => {
        const script =
          'tr "\\0" "\\n" </proc/$$/environ | grep a.b; printf err >&2; test -t 1 || echo no terminal; exit 7';
        const client = await ended(await exec('output=1&error=1', ...sh(script)));
        expect([client.text(1), client.text(2)]).toEqual(['a.b=dotted\nno terminal\n', 'err']);
        expect(client.status).toMatchObject(codeOf(7));
        expect(client.closeCode).toBe(1000);
        await until('nothing is left', () => rig.sessions.size === 0 && rig.aci.running === 0);
        expect([rig.offered, rig.aci.strangers]).toEqual([[['agent']], 0]);
      });

      it('passes arguments on as they are', async () => {
        const all = ['a b', '', "it's", '"$HOME"', '\n', '*', 'é😀', '--', '-n', '%s\\n', '\uFEFFx'];
        const client = await ended(await exec('output=1', 'printf', '<%s>', ...all));
        expect(client.text(1)).toBe(Buffer.from(all.map((word) => `<${word}>`).join('')).toString('latin1'));
      });

      it.each([
        [sh('kill -9 $$'), 137],
        [sh('kill -TERM $$'), 143],
        [['true'], 0],
      ])('%j ends with %i', async (command, code) => {
        expect((await ended(await exec('output=1', ...command))).status).toMatchObject(codeOf(code));
      });

      it('a program that is not there, or no program, is named as a kubelet names it', async () => {
        const missing = await ended(await exec('output=1', 'no-such-program'));
        expect(missing.status).toMatchObject({
          message: expect.stringContaining('exec: "no-such-program": executable file not found in $PATH'),
        });
        expect((await ended(await exec('output=1', '/etc'))).status).toMatchObject({
          message: expect.stringMatching(/exec: "\/etc": /),
        });
      });

      it('every byte of megabytes there and back at once, and the end of the input', async () => {
        const client = await exec('input=1&output=1', 'cat');
        const input = randomBytes(3_000_000);
        for (let at = 0; at < input.length; at += 100_000) client.send(0, input.subarray(at, at + 100_000));
        client.end(0);
        await ended(client);
        expect(hash(latin(client.text(1)))).toBe(hash(input));
        expect(client.status).toMatchObject(codeOf(0));
      });

      it('input that the command does not want holds up nobody, and one that never reads nothing else', async () => {
        const client = await exec('input=1&output=1', ...sh('head -c 3; sleep 0.3; echo; exit 4'));
        client.send(0, Buffer.alloc(500_000, 'abc'));
        expect((await ended(client)).text(1)).toBe('abc\n');
        expect(client.status).toMatchObject(codeOf(4));
      });

      it('a client that takes nothing holds up the command, and all of it comes when it does', async () => {
        // `script`, which stands for the terminal of ACI, reads nothing either while it can't write.
        await rig.close();
        rig = await StreamRig.open();
        rig.aci.agent = words.of();
        const client = await exec(
          'output=1',
          ...sh('head -c 20000000 /dev/zero; touch "$0"', join(words.dir, 'written')),
        );
        client.socket.pause();
        await sleep(2_500);
        expect(existsSync(join(words.dir, 'written'))).toBe(false);
        client.socket.resume();
        expect((await ended(client)).text(1).length).toBe(20_000_000);
        expect(client.status).toMatchObject(codeOf(0));
      });

      it('a terminal has the size of the window, and follows it', async () => {
        const client = await exec('input=1&output=1&tty=1', ...sh('stty size; read _; stty size; tty; exit 5'));
        client.send(4, '{"Width":111,"Height":33}');
        await until('the first', () => client.text(1).includes('33 111\r\n'));
        client.send(4, '{"Width":77,"Height":22}');
        await sleep(100);
        client.send(0, '\r');
        await ended(client);
        expect(client.text(1)).toMatch(/22 77\r\n\/dev\/pts\/\d+\r\n$/);
        expect(client.status).toMatchObject(codeOf(5));
      });

      it('Ctrl-C in a terminal ends the command, the end of the input a shell', async () => {
        const interrupted = await exec('input=1&output=1&tty=1', ...sh('echo up; sleep 60'));
        await until('it is up', () => interrupted.text(1).includes('up'));
        interrupted.send(0, '\u0003');
        expect((await ended(interrupted)).status).toMatchObject(codeOf(130));
        const left = await exec('input=1&output=1&tty=1', ...sh('cat; exit 6'));
        left.end(0);
        expect((await ended(left)).status).toMatchObject(codeOf(6));
      });

      it('a client that goes ends its command, also one that does not listen to SIGHUP', async () => {
        const file = join(words.dir, 'pid');
        const client = await exec(
          'input=1&output=1',
          ...sh('trap "" HUP; echo $$ >"$0"; echo up; while :; do sleep 0.1; done', file),
        );
        await until('it is up', () => client.text(1) === 'up\n');
        client.socket.terminate();
        const pid = Number(readFileSync(file, 'utf8'));
        await until('it has ended', () => !existsSync(`/proc/${pid}`), 10_000);
        await until('nothing is left', () => rig.sessions.size === 0);
      });

      it('lives on while nobody says anything', async () => {
        const client = await exec('output=1', ...sh('sleep 3; echo over'));
        expect((await ended(client)).text(1)).toBe('over\n');
      });

      it('twenty at once', async () => {
        const all = await Promise.all(
          Array.from({ length: 20 }, async (_, code) =>
            ended(await exec('output=1', ...sh(`echo ${code}; exit ${code}`))),
          ),
        );
        expect(all.map((one) => one.text(1))).toEqual(all.map((_, code) => `${code}\n`));
        expect(all.map((one) => one.status)).toEqual(all.map((_, code) => expect.objectContaining(codeOf(code))));
      }, 60_000);
    });

    describe('what is between, and lies', () => {
      it.each([
        ['changes a byte', (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte)))],
        ['loses one', (bytes: Buffer) => bytes.subarray(1)],
        ['says one twice', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 1), bytes])],
      ])('%s: the session ends, in one sentence, and shows nothing of it', async (_, meddle) => {
        const client = await exec('output=1', ...sh('echo one; sleep 0.5; echo two; sleep 5'));
        await until('the first', () => client.text(1) === 'one\n');
        rig.aci.meddle = meddle;
        await ended(client);
        expect(client.text(1)).toBe('one\n');
        expect(client.status).toMatchObject({ message: expect.stringContaining('was lost or changed') });
      });

      it.each([
        ['instead of a hello', 'head -c 70000 /dev/urandom', { status: 'Success' }],
        [
          'behind it',
          `sh -c 'stty raw -echo; echo SK1 {\\"version\\":1,\\"window\\":65536}; read line; head -c 70000 /dev/urandom'`,
          { message: expect.stringContaining('was lost or changed') },
        ],
      ])('10,000 frames of garbage %s are not taken for output', async (_, agent, status) => {
        rig.aci.agent = { agent, ports: 'true' };
        const client = await ended(await exec('output=1', 'true'));
        expect(client.text(1)).toBe('');
        // Who says no hello is no agent: the shell is asked.
        expect(client.status).toMatchObject(status);
      });

      it('cut: nobody knows the exit code, and that is said', async () => {
        const client = await exec('output=1', ...sh('echo up; sleep 60'));
        await until('it is up', () => client.text(1) === 'up\n');
        rig.aci.cut();
        expect((await ended(client)).status).toMatchObject({
          message: expect.stringContaining('nobody knows its exit code'),
        });
      });

      it('an agent that says nothing any more has gone', async () => {
        const file = join(words.dir, 'stopped');
        const client = await exec('output=1', ...sh('echo $PPID >"$0"; echo up; exec sleep 60', file));
        await until('it is up', () => client.text(1) === 'up\n');
        const agent = Number(readFileSync(file, 'utf8'));
        process.kill(agent, 'SIGSTOP');
        await ended(client);
        expect(client.status).toMatchObject({ message: expect.stringContaining('says nothing any more') });
        process.kill(agent, 'SIGKILL');
      });
    });

    describe('where this container has no agent', () => {
      it('the command is typed into its shell', async () => {
        rig.aci.agent = { agent: 'echo exec failed: no such file or directory', ports: 'true' };
        const client = await ended(await exec('output=1&error=1', ...sh('echo out; exit 3')));
        expect([client.text(1), client.status]).toEqual(['out\n', expect.objectContaining(codeOf(3))]);
        expect(rig.offered).toEqual([['agent'], []]);
      });

      it('so is one whose arguments are no UTF-8', async () => {
        const client = await ended(await channels('/exec/ns/p/c?output=1&command=printf&command=%FF'));
        expect(client.text(1)).toBe('\u00FF');
        expect(rig.offered).toEqual([[]]);
      });

      it('an agent that is of another version is not guessed at', async () => {
        rig.aci.agent = { agent: `sh -c 'echo SK1 {\\"version\\":2,\\"window\\":65536}; cat'`, ports: 'true' };
        expect((await ended(await exec('output=1', 'true'))).status).toMatchObject({
          message: expect.stringContaining('of a version that this node does not speak to'),
        });
      });
    });

    describe('attach', () => {
      const attach = (flags: string): Promise<ChannelClient> => channels(`/attach/ns/p/c?${flags}`);
      const start = (name: string, program: object): { readonly exit: Promise<unknown> } => {
        const { orders, child } = words.run(name, program);
        rig.aci.agent = words.of(orders);
        rig.set({ container: program });
        return { exit: once(child, 'exit') };
      };
      const joined = async (flags: string): Promise<ChannelClient> => {
        // The agent takes a moment until it listens.
        for (;;) {
          const client = await attach(flags);
          await sleep(400);
          if (client.closeCode === undefined) return client;
        }
      };

      it('brings a shell its script, on two streams, and ends with it', async () => {
        const { exit } = start('build', { argv: ['sh'], stdin: true, stdinOnce: true });
        const client = await joined('input=1&output=1&error=1');
        client.send(0, 'echo out; echo err >&2\n');
        await until('it runs', () => client.text(1) === 'out\n' && client.text(2) === 'err\n');
        client.send(
          0,
          `${'true ".............................................................................."\n'.repeat(3_000)}exit 6\n`,
        );
        client.end(0);
        expect((await ended(client)).status).toMatchObject({ status: 'Success' });
        expect(await exit).toEqual([6, null]);
      });

      it('leaves the program at its terminal when the client goes, and lets another one in', async () => {
        const script = 'while read line; do echo "got $line"; stty size; done';
        start('terminal', { argv: ['sh', '-c', script], stdin: true, tty: true });
        const first = await joined('input=1&output=1&tty=1');
        first.send(4, '{"Width":70,"Height":20}');
        first.send(0, 'one\r');
        await until('it is heard', () => first.text(1).includes('got one\r\n'));
        first.socket.terminate();
        const second = await joined('input=1&output=1&tty=1');
        second.send(4, '{"Width":90,"Height":30}');
        await sleep(100);
        second.send(0, 'two\r');
        await until('so is the other', () => second.text(1).includes('30 90\r\n'));
        second.socket.terminate();
      });

      it('says it where there is no agent any more', async () => {
        rig.set({ container: { stdin: true } });
        expect((await ended(await attach('input=1&output=1'))).status).toMatchObject(
          failedWith('Internal error occurred: error attaching to container: no agent stays in this container'),
        );
      });
    });

    describe('port-forward of a pod without an address', () => {
      const servers: Server[] = [];
      const sockets = new Set<Socket>();
      beforeEach(() => rig.set({ podIP: undefined }));
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
        const client = await rig.spdy('/portForward/ns/p', ['portforward.k8s.io']);
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
        expect(rig.asked.length).toBe(1);
        client.spdy.close();
        await until('nothing is left', () => rig.sessions.size === 0 && rig.aci.running === 0, 5_000);
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
        rig.aci.agent = undefined;
        expect(await rig.spdy('/portForward/ns/p', ['portforward.k8s.io'])).toMatchObject({ status: 501 });
        rig.aci.agent = { agent: 'true', ports: 'echo no such file' };
        expect(await rig.spdy('/portForward/ns/p', ['portforward.k8s.io'])).toMatchObject({ status: 501 });
        expect(rig.sessions.size).toBe(0);
      });

      it('a session that is cut ends all connections, and says so', async () => {
        const port = await serve(echo);
        const client = await forwarded();
        const { data, error } = await client.connect(port);
        client.spdy.data(data, 'x');
        await until('it is answered', () => client.spdy.text(data) === 'x');
        rig.aci.cut();
        await until('it is told', () => client.spdy.text(error).includes('ended before') || client.spdy.hasGoneAway);
        await until('nothing is left', () => rig.sessions.size === 0);
      });
    });
  },
);
