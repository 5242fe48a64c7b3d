/** `kubectl exec` and `attach` as they arrive at a node's port, over both wires, down to a real shell behind a real terminal. */
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import * as z from 'zod';
import { afterEach, describe, expect, it } from 'vitest';
import { ChannelClient } from '../relay/channel-client.ts';
import { until } from '../relay/fake-app.ts';
import { recorded } from '../relay/spdy/recorded.ts';
import { SpdyClient } from '../relay/spdy-client.ts';
import { StreamRig } from '../relay/stream-rig.ts';
import type { Refusal, RigOptions } from '../relay/stream-rig.ts';

let rig: StreamRig;
const start = async (options: RigOptions = {}): Promise<StreamRig> => {
  rig = await StreamRig.open(options);
  return rig;
};

afterEach(() => rig.close());

const commandOf = (...words: readonly string[]): string =>
  words.map((word) => `command=${encodeURIComponent(word)}`).join('&');
const execPath = (flags: string, ...words: readonly string[]): string => `/exec/ns/p/c?${flags}&${commandOf(...words)}`;
const shell = (script: string): readonly string[] => ['sh', '-c', script];

async function spdy(path: string, versions?: readonly string[]): Promise<SpdyClient> {
  const client = await rig.spdy(path, versions);
  if (client instanceof SpdyClient) return client;
  throw new Error(`${client.status}: ${client.body}`);
}

async function channels(path: string, ...protocols: readonly string[]): Promise<ChannelClient> {
  const socket = await rig.webSocket(path, protocols);
  if (socket instanceof WebSocket) return new ChannelClient(socket);
  throw new Error(`${socket.status}: ${socket.body}`);
}

const v5 = 'v5.channel.k8s.io';
const success = { metadata: {}, status: 'Success' };
const exitCode = (code: number): object => ({
  status: 'Failure',
  reason: 'NonZeroExitCode',
  details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
});

const refusal = async (answer: Promise<SpdyClient | WebSocket | Refusal>): Promise<Refusal> => {
  const refused = await answer;
  if (refused instanceof SpdyClient || refused instanceof WebSocket) throw new Error('it was not refused');
  return refused;
};

describe('what can not be is refused before anything else happens, in the words of a kubelet', () => {
  const admin = { user: 'admin' };
  it.each([
    [
      { user: 'nobody' },
      '/exec/ns/p/c?output=1&command=ls',
      403,
      /^Forbidden \(user=nobody, verb=create, resource=nodes, subresource\(s\)=\[proxy\]\)/,
    ],
    // A WebSocket is a GET; it runs something all the same.
    [{ user: 'reader' }, '/exec/ns/p/c?output=1&command=ls', 403, /verb=create/],
    [{ user: 'reader' }, '/portForward/ns/p?port=80', 403, /verb=create/],
    [admin, '/exec/ns/p/c', 400, /^you must specify at least 1 of stdin, stdout, stderr$/],
    [admin, '/exec/ns/p/c?output=1', 400, /^you must specify at least one command for the container$/],
    [admin, '/exec/ns/other/c?output=1&command=ls', 404, /^pod does not exist$/],
    [admin, '/exec/ns/p/other-uid/c?output=1&command=ls', 404, /^pod does not exist$/],
    [admin, '/exec/ns/p/x?output=1&command=ls', 404, /^container not found \("x"\)$/],
    [
      admin,
      '/exec/ns/p/starting?output=1&command=ls',
      400,
      /^container not found \("starting"\): it is not running \(CrashLoopBackOff\)$/,
    ],
    [admin, '/exec/ns/p/debugger?output=1&command=ls', 400, /is an ephemeral container/],
    [admin, '/attach/ns/p/c', 400, /^you must specify at least 1 of stdin, stdout, stderr$/],
    [admin, '/attach/ns/p/x?output=1', 404, /^container not found \("x"\)$/],
    [admin, '/exec/ns/p', 404, /^404 page not found$/],
    [admin, '/portForward/ns/other?port=80', 404, /^pod does not exist$/],
    [admin, '/portForward/ns/p/other-uid?port=80', 404, /^pod not found$/],
  ])('%j %s: %i', async ({ user }, path, status, body) => {
    await start();
    const answers = [
      await refusal(rig.spdy(path, path.startsWith('/port') ? ['portforward.k8s.io'] : undefined, { user })),
      await refusal(rig.webSocket(path, [path.startsWith('/port') ? 'v4.channel.k8s.io' : v5], user)),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(status);
      expect(answer.body.trim()).toMatch(body);
    }
    expect(rig.asked).toEqual([]);
    expect(rig.sessions.size).toBe(0);
  });

  it('no upgrade, no version, none that is known, no handshake', async () => {
    await start();
    const path = execPath('output=1', 'ls');
    expect(await rig.call(path)).toMatchObject({
      status: 400,
      body: 'unable to upgrade: missing upgrade headers in request\n',
    });
    expect(await rig.spdy(path, [])).toMatchObject({ status: 400 });
    expect(await rig.spdy(path, ['v9.channel.k8s.io'])).toMatchObject({
      status: 403,
      headers: { 'x-accepted-stream-protocol-versions': expect.stringContaining('v4.channel.k8s.io') },
      body: expect.stringContaining(
        'client supports [v9.channel.k8s.io], server accepts [v5.channel.k8s.io v4.channel.k8s.io',
      ),
    });
    expect(await rig.webSocket(path, ['chat'])).toMatchObject({ status: 403 });
    expect(await rig.call(path, 'PUT')).toMatchObject({ status: 405, headers: { allow: 'GET, POST' } });
    expect(rig.asked).toEqual([]);
  });

  it('other routes answer whoever asks for another protocol as they answer anybody', async () => {
    await start();
    expect(await rig.spdy('/healthz', undefined, { method: 'GET' })).toMatchObject({ status: 200, body: 'ok\n' });
    const unready = { status: 503 }; // no app has said yet which pods there are
    expect(await rig.spdy('/metrics/resource', undefined, { method: 'GET' })).toMatchObject(unready);
    expect(await rig.spdy('/configz', undefined, { method: 'GET' })).toMatchObject({ status: 404 });
  });
});

describe('exec over WebSocket', () => {
  it.each([
    [v5, 'output=1&error=1'],
    ['v4.channel.k8s.io', 'output=1&error=1'],
    ['v4.base64.channel.k8s.io', 'output=1&error=1'],
  ])('%s: output, exit code as a Status, and the end', async (protocol, flags) => {
    await start();
    const client = await channels(execPath(flags, ...shell('echo out; echo err >&2; exit 7')), protocol);
    await until('the end', () => client.closeCode !== undefined);
    expect(client.socket.protocol).toBe(protocol);
    expect([client.text(1), client.text(2)]).toEqual(['out\n', 'err\n']);
    expect(client.status).toMatchObject(exitCode(7));
    expect(client.closeCode).toBe(1000);
    expect(client.messages[0]).toEqual({ channel: 1, text: '' });
    await until('nothing is left', () => rig.sessions.size === 0 && rig.aci.running === 0);
    expect(rig.aci.strangers).toBe(0);
    expect(rig.asked).toEqual([
      {
        target: { node: 'aci-1', namespace: 'ns', pod: 'p', uid: 'u1', container: 'c' },
        size: { columns: 80, rows: 24 },
      },
    ]);
  });

  it.each(['channel.k8s.io', 'base64.channel.k8s.io', ''])(
    '%j: a text where it failed, nothing where it did not',
    async (protocol) => {
      await start();
      const protocols = protocol === '' ? [] : [protocol];
      const failed = await channels(execPath('output=1', ...shell('exit 3')), ...protocols);
      const done = await channels(execPath('output=1', 'echo', 'hello'), ...protocols);
      await until('both ends', () => failed.closeCode !== undefined && done.closeCode !== undefined);
      expect(failed.text(3)).toBe('command terminated with non-zero exit code: exit status 3');
      expect([done.text(1), done.text(3)]).toEqual(['hello\n', '']);
    },
  );

  it('stdin ends where the client says so, and the command sees it', async () => {
    await start();
    const client = await channels(execPath('input=1&output=1', ...shell('cat; echo end')), v5);
    client.send(0, 'one\n');
    await until('the first', () => client.text(1) === 'one\n');
    client.send(0, Buffer.from([0, 1, 3, 4, 10, 13, 17, 19, 26, 27, 28, 127, 128, 255]));
    client.end(0);
    await until('the end', () => client.closeCode !== undefined);
    expect(client.text(1)).toBe('one\n\0\u0001\u0003\u0004\n\r\u0011\u0013\u001A\u001B\u001C\u007F\u0080\u00FFend\n');
    expect(client.status).toEqual(success);
    expect(Math.max(...rig.aci.received)).toBeLessThanOrEqual(512);
  });

  it('a command that reads only a little of a long input ends with it', async () => {
    await start();
    const client = await channels(execPath('input=1&output=1', 'head', '-c', '5'), v5);
    for (let count = 0; count < 100; count += 1) client.send(0, Buffer.alloc(10_000, 'x'));
    await until('the end', () => client.closeCode !== undefined);
    expect([client.text(1), client.status]).toEqual(['xxxxx', success]);
    await until('nothing is left', () => rig.aci.running === 0);
  });

  it('both ways at once, byte for byte', async () => {
    await start();
    const sent = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7 + (index >> 8)) % 256));
    const client = await channels(execPath('input=1&output=1', 'cat'), v5);
    for (let at = 0; at < sent.length; at += 8000) client.send(0, sent.subarray(at, at + 8000));
    client.end(0);
    await until('the end', () => client.closeCode !== undefined);
    expect(Buffer.from(client.text(1), 'latin1').equals(sent)).toBe(true);
    expect(client.status).toEqual(success);
  });

  it('a terminal has the size of the window, and passes everything on as it is', async () => {
    await start();
    const client = await channels(
      execPath('input=1&output=1&tty=1', ...shell('stty size; tty; read line; echo "got $line"; exit 4')),
      v5,
    );
    client.send(4, JSON.stringify({ Width: 123, Height: 45 }));
    await until('the size', () => client.text(1).includes('/dev/pts/'));
    client.send(4, JSON.stringify({ Width: 99, Height: 9 }));
    client.send(0, 'hi\r');
    await until('the end', () => client.closeCode !== undefined);
    expect(client.text(1)).toMatch(/^45 123\r\n\/dev\/pts\/\d+\r\nhi\r\ngot hi\r\n$/);
    expect(client.status).toMatchObject(exitCode(4));
    expect(rig.asked[0]?.size).toEqual({ columns: 123, rows: 45 });
  });

  it('Ctrl-C in a terminal ends the command, Ctrl-D its input', async () => {
    await start();
    const stopped = await channels(execPath('input=1&output=1&tty=1', ...shell('echo ready; sleep 60')), v5);
    await until('it runs', () => stopped.text(1).includes('ready'));
    stopped.send(0, '\u0003');
    const ended = await channels(execPath('input=1&output=1&tty=1', ...shell('echo ready; cat; echo over')), v5);
    await until('it runs', () => ended.text(1).includes('ready'));
    ended.end(0);
    await until('both ends', () => stopped.closeCode !== undefined && ended.closeCode !== undefined);
    expect(stopped.status).toMatchObject(exitCode(130));
    expect(ended.text(1)).toMatch(/over\r\n$/);
    expect(ended.status).toEqual(success);
  });

  it('a message that is none of the protocol’s ends the session, and nothing is left', async () => {
    await start();
    const client = await channels(execPath('input=1&output=1', 'sleep', '60'), v5);
    await until('it runs', () => rig.aci.running === 1);
    client.socket.send(Buffer.from([255]));
    await until('the end', () => client.closeCode !== undefined);
    expect(client.closeCode).toBe(1007);
    await until('nothing is left', () => rig.sessions.size === 0 && rig.aci.running === 0);
  });

  it('what reads from a client that has gone is told that nothing follows', async () => {
    await start();
    const client = await channels(execPath('input=1&output=1', 'cat'), v5);
    client.send(0, 'x');
    await until('it runs', () => client.text(1) === 'x');
    const before = rig.aci.received.length;
    client.socket.terminate();
    await until('nothing is left', () => rig.sessions.size === 0 && rig.aci.running === 0);
    // The last line, which ends what is decoded.
    expect(rig.aci.received.slice(before)).toEqual([2]);
  });

  it('a client that goes leaves nothing behind', async () => {
    await start();
    const client = await channels(execPath('output=1', 'sleep', '60'), v5);
    await until('it runs', () => rig.aci.running === 1);
    client.socket.terminate();
    await until('nothing is left', () => rig.sessions.size === 0 && rig.aci.running === 0);
    expect(client.text(3)).toBe('');
  });
});

describe('exec over SPDY, as every API server before 1.36 speaks it', () => {
  it.each(['v5.channel.k8s.io', 'v4.channel.k8s.io'])(
    '%s: each stream is answered, the exit code is a Status, and it ends with GOAWAY',
    async (version) => {
      await start();
      const client = await spdy(execPath('input=1&output=1', ...shell('cat; exit 9')), [version]);
      client.open('error', 'stdin', 'stdout');
      await until('all are answered', () => [1, 3, 5].every((id) => client.stream(id).isReplied));
      client.send(recorded.data, recorded.fin, recorded.ping);
      await until('the end', () => client.hasGoneAway);
      expect(client.text(5)).toBe('hello\n');
      expect(JSON.parse(client.text(1))).toMatchObject(exitCode(9));
      expect([client.stream(1).hasEnded, client.stream(5).hasEnded, client.pongs]).toEqual([true, true, 1]);
      await until('nothing is left', () => rig.sessions.size === 0 && rig.aci.running === 0);
    },
  );

  it.each(['v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io'])(
    '%s: a text where it failed, nothing where it did not',
    async (version) => {
      await start();
      for (const [script, text] of [
        ['exit 3', 'command terminated with non-zero exit code: exit status 3'],
        ['exit 0', ''],
      ] as const) {
        const client = await spdy(execPath('input=1&output=1', ...shell(script)), [version]);
        client.open('error', 'stdin', 'stdout');
        await until('the end', () => client.hasGoneAway);
        expect(client.text(1)).toBe(text);
      }
    },
  );

  it('a client that does not open what it asked for is not waited for, and ARM is not asked', async () => {
    await start({ times: { creationMs: 200 } });
    const client = await spdy(execPath('input=1&output=1', 'ls'));
    client.open('error');
    await until('the end', () => client.hasGoneAway);
    expect(rig.asked).toEqual([]);
    await until('nothing is left', () => rig.sessions.size === 0);
  });

  it('a megabyte of output arrives whole', async () => {
    await start();
    const client = await spdy(execPath('input=1&output=1', ...shell('head -c 1000000 /dev/zero')));
    client.open('error', 'stdin', 'stdout');
    await until('the end', () => client.hasGoneAway);
    expect(client.text(5).length).toBe(1_000_000);
    expect(JSON.parse(client.text(1))).toEqual(success);
  });

  it('10,000 frames of garbage: GOAWAY, and the command is let go', async () => {
    await start();
    const client = await spdy(execPath('input=1&output=1', 'sleep', '60'));
    client.open('error', 'stdin', 'stdout');
    await until('it runs', () => rig.aci.running === 1);
    for (let count = 0; count < 10_000; count += 1) client.send(Buffer.from('8003000b0000000401020304', 'hex'));
    await until('the end', () => client.hasGoneAway);
    expect(client.text(1)).toBe('');
    await until('nothing is left', () => rig.sessions.size === 0 && rig.aci.running === 0);
  });
});

const messageSchema = z.object({ message: z.string() });

const failureOf = async (path: string): Promise<string> => {
  const client = await channels(path, v5);
  await until('the end', () => client.closeCode !== undefined);
  return messageSchema.parse(client.status).message;
};

describe('what goes wrong is told in one sentence', () => {
  const app = (status: number, code: string, retryAfterMs?: number) =>
    ({ kind: 'answer', status, body: JSON.stringify({ error: { code, message: 'said so' } }), retryAfterMs }) as const;
  it.each([
    [
      'the app is not there',
      { kind: 'unreachable', message: 'ECONNREFUSED' } as const,
      /^Internal error occurred: error executing command in container: the function app could not be reached: ECONNREFUSED$/,
    ],
    ['it does not know the pod', app(404, 'PodNotFound'), /container: said so$/],
    ['it is too old', app(404, ''), /the function app has no such function; is it of an older release\?$/],
    [
      'Azure is asked too much',
      app(429, 'TooManyRequests', 60_000),
      /Azure limits how often sessions may be opened; try again in a moment$/,
    ],
    [
      'its answer is no session',
      { kind: 'answer', status: 200, body: '{"webSocketUri":"ws://x"}', retryAfterMs: undefined } as const,
      /a session that this relay can't use/,
    ],
  ])('%s', async (_, answer, expected) => {
    await start({ times: { patienceMs: 300 } });
    rig.answerNext(answer, answer);
    expect(await failureOf(execPath('output=1', 'ls'))).toMatch(expected);
  });

  it('a refusal that passes is waited out', async () => {
    await start();
    rig.answerNext(app(429, 'TooManyRequests', 100), app(503, 'ServiceUnavailable'));
    const client = await channels(execPath('output=1', 'echo', 'hi'), v5);
    await until('the end', () => client.closeCode !== undefined);
    expect([client.text(1), rig.asked.length]).toEqual(['hi\n', 3]);
  });

  it.each([
    [
      'nobody listens there',
      () => rig.aci.close(),
      /could not connect to the container's session at 127\.0\.0\.1:\d+ \(ECONNREFUSED\): a security group, firewall or NetworkPolicy must let the relay's pods out to TCP port \d+$/,
    ],
    [
      'it is refused',
      async () => void (rig.aci.behaviour = { kind: 'refused', status: 503 }),
      /at 127\.0\.0\.1:\d+ \(Unexpected server response: 503\)$/,
    ],
    [
      'the image has no shell',
      async () => void (rig.aci.behaviour = { kind: 'words', text: 'exec failed: no such file\r\n' }),
      /exec: "\/bin\/sh": no such file or directory, or it ended at once; .*; the container wrote: exec failed: no such file$/,
    ],
    [
      'its shell says nothing',
      async () => void (rig.aci.behaviour = { kind: 'silent' }),
      /the image's \/bin\/sh did not answer in time/,
    ],
    [
      'its shell is no shell',
      async () => void (rig.aci.behaviour = { kind: 'shell', shell: 'cat' }),
      /the image's \/bin\/sh did not answer in time/,
    ],
  ])('%s', async (_, prepare, expected) => {
    await start({ times: { beginMs: 1500, connectMs: 1000 } });
    await prepare();
    expect(await failureOf(execPath('output=1', 'ls'))).toMatch(expected);
    await until('nothing is left', () => rig.sessions.size === 0 && rig.aci.running === 0);
    expect(rig.logged.join('\n')).not.toContain('9Nrd');
    await rig.close();
    await start();
  });

  it.each([
    [['no-such-program'], /container: exec: "no-such-program": executable file not found in \$PATH$/],
    [['/no/such/program'], /exec: "\/no\/such\/program": stat \/no\/such\/program: no such file or directory$/],
    [['/etc/passwd'], /exec: "\/etc\/passwd": permission denied$/],
    [['/etc'], /exec: "\/etc": permission denied$/],
    [['echo', 'a\0b'], /an argument holds a NUL$/],
  ])('%j', async (words, expected) => {
    await start();
    expect(await failureOf(execPath('output=1', ...words))).toMatch(expected);
  });

  it('a session that is cut, a pod that is gone, a relay that stops, and nothing said for too long', async () => {
    await start({ times: { lookMs: 100, idleMs: 2_500 } });
    const cut = await channels(execPath('output=1', ...shell('echo x; sleep 60')), v5);
    await until('it runs', () => cut.text(1) === 'x\n');
    rig.aci.cut();
    await until('the end', () => cut.closeCode !== undefined);
    expect(cut.status).toMatchObject({
      message: expect.stringContaining('the connection to the container ended before its command did'),
    });
    const idle = await channels(execPath('output=1', 'sleep', '60'), v5);
    await until('the end', () => idle.closeCode !== undefined);
    expect(idle.status).toMatchObject({ message: expect.stringContaining('nothing was said for too long') });
    const gone = await channels(execPath('output=1', ...shell('while sleep 0.2; do echo x; done')), v5);
    await until('it runs', () => gone.text(1).includes('x'));
    rig.set({ uid: 'u2' });
    await until('the end', () => gone.closeCode !== undefined);
    expect(gone.status).toMatchObject({
      message: expect.stringContaining('the container has ended, or its pod is gone'),
    });
    const stopped = await channels(execPath('output=1', ...shell('while sleep 0.2; do echo x; done')), v5);
    await until('it runs', () => stopped.text(1).includes('x'));
    await rig.sessions.close();
    await until('the end', () => stopped.closeCode !== undefined);
    expect(stopped.status).toMatchObject({
      message: 'Internal error occurred: the relay of this node stops; try again',
    });
    expect(await rig.spdy(execPath('output=1', 'ls'))).toMatchObject({ status: 429 });
    await until('nothing is left', () => rig.sessions.size === 0 && rig.aci.running === 0);
  });

  it('there are no more sessions than a relay holds', async () => {
    await start({ mostSessions: 1 });
    const first = await channels(execPath('output=1', 'sleep', '60'), v5);
    expect(await rig.spdy(execPath('output=1', 'ls'))).toMatchObject({
      status: 429,
      body: 'this node has as many exec, attach and port-forward sessions as it can hold; try again later\n',
    });
    first.socket.terminate();
    await until('there is room', () => rig.sessions.size === 0);
    expect(await spdy(execPath('output=1', 'ls'))).toBeInstanceOf(SpdyClient);
  });
});

describe('attach', () => {
  it('shows what the container writes from now on, and ends well when it does', async () => {
    await start();
    const web = await channels('/attach/ns/p/c?output=1&error=1', v5);
    const old = await spdy('/attach/ns/p/u1/c?input=1&output=1');
    old.open('error', 'stdin', 'stdout');
    await until('both listen', () => rig.aci.attached === 2);
    rig.aci.write('one\n');
    rig.aci.write('two\n');
    await until('it is shown', () => web.text(1) === 'one\ntwo\n');
    rig.aci.endOutput();
    await until('both end', () => web.closeCode !== undefined && old.hasGoneAway);
    expect(web.status).toEqual(success);
    expect(JSON.parse(old.text(1))).toEqual(success);
    // Nobody can write to it: who wanted to is told.
    expect(old.text(5)).toBe(
      'note: Azure Container Instances shows what a container writes and lets nobody write to it: input is dropped\none\ntwo\n',
    );
    expect(rig.asked.map(({ size }) => size)).toEqual([undefined, undefined]);
    expect(rig.aci.strangers).toBe(0);
  });

  it('ends when the pod is gone, whatever the session does', async () => {
    await start({ times: { lookMs: 100 } });
    const client = await channels('/attach/ns/p/c?output=1', v5);
    await until('it listens', () => rig.aci.attached === 1);
    rig.set({ state: { terminated: { exitCode: 1 } } });
    await until('the end', () => client.closeCode !== undefined);
    expect(client.status).toEqual(success);
    await sleep(10);
    expect(rig.sessions.size).toBe(0);
  });
});
