/** Exec and attach over the wire: a real `ws` client over TLS, real processes at real terminals. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { defaultExecKnobs } from '../../infra/local/aci/exec/knobs.ts';
import { createProcessRuntime } from '../../infra/local/aci/runtime/process.ts';
import { ExecClient } from '../local/aci/exec-client.ts';
import { ExecCloud } from '../local/aci/exec-cloud.ts';
import { describeTransfers } from './exec-transfers.suite.ts';
import { talkingScript } from './runtime-terminals.suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'aci-exec-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('with real processes', () => {
  let cloud: ExecCloud;
  beforeAll(async () => {
    const runtime = await createProcessRuntime({ stateDir: join(folder, 'state'), bubblewrap: false });
    cloud = await ExecCloud.start({ runtime });
    await cloud.put('waits', ['sleep', '1000'], { environmentVariables: [{ name: 'GREETING', value: 'hello' }] });
    await cloud.put('talks', ['sh', '-c', talkingScript]);
    await cloud.put('ended', ['sh', '-c', 'exit 3']);
    await cloud.provisioned('waits', 'talks', 'ended');
    await vi.waitUntil(() => cloud.emulator.core.state.journal.runs.all().some(({ exitCode }) => exitCode === 3));
  });
  afterAll(() => cloud.emulator.close());
  afterEach(() => cloud.turn(defaultExecKnobs));

  it('89 the first message is empty, then comes what a terminal shows: echo, carriage returns', async () => {
    const client = await cloud.shell('waits');
    expect(client.messages[0]?.bytes).toHaveLength(0);
    client.type('echo $GREETING\r');
    await client.shows('echo $GREETING\r\nhello\r\n');
    expect(client.shown).not.toMatch(/[^\r]\n/u);
    expect(client.messages.every(({ isBinary }) => isBinary)).toBe(true);
    client.type('exit\r');
    expect(await client.closed).toBe(1000);
  });

  it('90 the terminal’s size is the session’s; the address’s changes nothing', async () => {
    const invitation = await cloud.exec('waits', 'sh', 33, 77);
    const webSocketUri = invitation.webSocketUri.replace('rows=33&cols=77', 'rows=1&cols=2');
    expect(webSocketUri).not.toBe(invitation.webSocketUri);
    const client = await ExecClient.enter({ ...invitation, webSocketUri }, cloud.ca);
    client.type('stty size; tty\r');
    await client.shows(/33 77\r\n\/dev\/pts\/\d+\r\n/u);
    expect(client.shown).not.toContain('1 2');
  });

  it('takes what is typed as text and as bytes, in order, also before the terminal is there', async () => {
    const client = await cloud.enter('waits');
    client.socket.send('echo one');
    client.socket.send(Buffer.from(' two'));
    client.socket.send(' thrée\r');
    await client.shows(/\r\n(?:[#$] )?one two thrée\r\n/u);
    expect(client.code).toBeUndefined();
  });

  it('interrupts at Ctrl-C, and Ctrl-D ends a shell', async () => {
    const client = await cloud.shell('waits');
    client.type('sleep 1000\r');
    await client.shows('sleep 1000\r\n');
    client.type('\u0003');
    await client.shows(/\^C[^]*[#$] $/u);
    expect(client.code).toBeUndefined();
    client.type('\u0004');
    expect(await client.closed).toBe(1000);
  });

  describeTransfers(() => cloud);

  it('a program goes on after its client has gone, and what it shows is for nobody', async () => {
    const file = join(folder, 'written');
    const client = await cloud.shell('waits');
    client.type(`head -c 1000000 /dev/zero | tr "\\0" x; sleep 0.3; echo done > ${file}\r`);
    await client.shows('xxx');
    client.socket.terminate();
    await client.closed;
    await expect.poll(() => existsSync(file) && readFileSync(file, 'utf8'), { timeout: 10_000 }).toBe('done\n');
  });

  it('two at once do not hear each other', async () => {
    const [one, other] = await Promise.all([cloud.shell('waits'), cloud.shell('waits')]);
    one.type('echo $GREETING\r');
    await one.shows('hello\r\n');
    expect(other.shown).not.toContain('hello');
    one.type('exit\r');
    await one.closed;
    expect(other.code).toBeUndefined();
    other.type('exit\r');
    expect(await other.closed).toBe(1000);
  });

  it('fifty at once', async () => {
    const clients = await Promise.all(Array.from({ length: 50 }, async () => cloud.enter('waits')));
    for (const [index, client] of clients.entries()) client.type(`echo $((${index} + 1000)); exit\r`);
    expect(new Set(await Promise.all(clients.map(({ closed }) => closed)))).toEqual(new Set([1000]));
    for (const [index, client] of clients.entries()) expect(client.shown).toContain(`${index + 1000}\r\n`);
  });

  it.each([
    ['a container that has ended', 'ended', 'sh', 'container c does not run'],
    ['a program that is not there', 'waits', 'no-such-program', 'no-such-program: not found'],
    ['a command of two words', 'waits', 'echo hello', 'echo hello: not found'],
  ])('%s: 200, and the words on the socket', async (_, group, command, words) => {
    const client = await cloud.enter(group, command);
    expect(await client.closed).toBe(1000);
    expect(client.shown).toContain(words);
  });

  it('execSplit blanks: two words are a program and an argument, quotes are characters', async () => {
    await cloud.turn({ execSplit: 'blanks' });
    const client = await cloud.enter('waits', 'echo  "hello  there"');
    await client.closed;
    expect(client.shown).toBe('"hello there"\r\n');
  });

  it('execMaxMessageBytes: longer messages are lost, the password is not', async () => {
    await cloud.turn({ execMaxMessageBytes: 20 });
    const client = await cloud.shell('waits');
    client.type('echo 12345678901234567890\r');
    client.type('echo short; exit\r');
    await client.closed;
    expect(client.shown).not.toContain('1234567890');
    expect(client.shown).toContain('\r\nshort\r\n');
  });

  it('execCloseAbruptly: it ends without a closing handshake', async () => {
    await cloud.turn({ execCloseAbruptly: true });
    const client = await cloud.shell('waits');
    client.type('echo last; exit\r');
    expect(await client.closed).toBe(1006);
    expect(client.shown).toContain('\r\nlast\r\n');
  });

  it('execFrames text: output comes as text, its characters whole', async () => {
    await cloud.turn({ execFrames: 'text' });
    const client = await cloud.shell('waits');
    client.type('printf "\\303"; sleep 0.2; printf "\\251\\n"; exit\r');
    await client.closed;
    expect(client.shown).toContain('\r\né\r\n');
    expect(client.messages.some(({ isBinary }) => isBinary)).toBe(false);
  });

  it('execUnreachable: the port refuses connections, open sessions go on, and it is the same port afterwards', async () => {
    const open = await cloud.shell('waits');
    const invitation = await cloud.exec('waits');
    await cloud.turn({ execUnreachable: true });
    await expect(ExecClient.enter(invitation, cloud.ca)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    open.type('echo $GREETING\r');
    await open.shows('hello\r\n');
    await cloud.turn({ execUnreachable: false });
    const late = await ExecClient.enter(invitation, cloud.ca);
    late.type('echo $GREETING\r');
    await late.shows('hello\r\n');
  });

  it('91 attach shows both streams from now on, for the password in the header of the upgrade', async () => {
    const client = await cloud.follow('talks');
    await client.shows('tick\n');
    await client.shows('tock\n');
    expect(client.shown).not.toContain('early');
    client.type('exit\r');
    client.socket.close();
    await client.closed;
  });

  it('attach to a container that has ended: 200, and the words on the socket', async () => {
    const client = await cloud.follow('ended');
    expect(await client.closed).toBe(1000);
    expect(client.shown).toContain('container c does not run');
  });

  it('what is no WebSocket is told so, and what is garbage is cut off without harm', async () => {
    const { hostname, port } = new URL(cloud.emulator.execUrl);
    const [answer] = await once(get({ host: hostname, port, path: '/execstream', ca: cloud.ca }), 'response');
    expect(answer.statusCode).toBe(426);
    const garbage = connect(Number(port), hostname);
    garbage.on('error', () => undefined);
    garbage.write('GET / HTTP/1.1\r\n\r\n');
    await once(garbage, 'close');
    const { webSocketUri } = await cloud.exec('waits');
    const socket = new WebSocket(webSocketUri, { ca: cloud.ca });
    const [upgraded] = await once(socket, 'upgrade');
    // An opcode that there is not: the connection fails, and no other.
    upgraded.socket.write(Buffer.from([0x8b, 0x80, 0, 0, 0, 0]));
    expect((await once(socket, 'close'))[0]).toBe(1002);
    const next = await cloud.shell('waits');
    next.type('exit\r');
    expect(await next.closed).toBe(1000);
  });

  it('ten thousand messages of garbage are typed, and the shell lives', async () => {
    const client = await cloud.shell('waits');
    for (let index = 0; index < 10_000; index += 1) client.type(String.fromCharCode(0x21 + (index % 64)).repeat(30));
    client.type('\u0003');
    await client.shows(/\^C[^]*[#$] $/u);
    client.type('echo $GREETING\r');
    await client.shows('echo $GREETING\r\nhello\r\n');
    expect(client.code).toBeUndefined();
  });

  it('ends with its container: DELETE closes what is open', async () => {
    await cloud.put('short', ['sh', '-c', talkingScript]);
    await cloud.provisioned('short');
    const terminal = await cloud.shell('short');
    const log = await cloud.follow('short');
    const unused = await cloud.exec('short');
    await log.shows('tick\n');
    await cloud.send('DELETE', 'short');
    expect(await Promise.all([terminal.closed, log.closed])).toEqual([1000, 1000]);
    await expect(ExecClient.enter(unused, cloud.ca)).rejects.toThrow('404');
  });
});
