/** `kubectl exec` as it arrives at a node's port, down to the agent that was built, behind a real terminal. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { whyNoGo } from '../fixtures/agent-go.ts';
import { AgentStreams, codeOf, ended, sh } from '../relay/agent-streams.ts';
import { until } from '../relay/fake-app.ts';

const reason = await whyNoGo();
const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const latin = (text: string): Buffer => Buffer.from(text, 'latin1');

describe.skipIf(reason !== undefined)(
  `exec through the agent${reason === undefined ? '' : ` is not tried: ${reason}`}`,
  () => {
    const streams = AgentStreams.use();

    describe('exec', () => {
      it('has output and errors apart, the exit code, and the environment of the container', async () => {
        const script =
          'tr "\\0" "\\n" </proc/$$/environ | grep a.b; printf err >&2; test -t 1 || echo no terminal; exit 7';
        const client = await ended(await streams.exec('output=1&error=1', ...sh(script)));
        expect([client.text(1), client.text(2)]).toEqual(['a.b=dotted\nno terminal\n', 'err']);
        expect(client.status).toMatchObject(codeOf(7));
        expect(client.closeCode).toBe(1000);
        await until('nothing is left', () => streams.rig.sessions.size === 0 && streams.rig.aci.running === 0);
        expect([streams.rig.offered, streams.rig.aci.strangers]).toEqual([[['agent']], 0]);
      });

      it('passes arguments on as they are', async () => {
        const all = ['a b', '', "it's", '"$HOME"', '\n', '*', 'é😀', '--', '-n', '%s\\n', '\uFEFFx'];
        const client = await ended(await streams.exec('output=1', 'printf', '<%s>', ...all));
        expect(client.text(1)).toBe(Buffer.from(all.map((word) => `<${word}>`).join('')).toString('latin1'));
      });

      it.each([
        [sh('kill -9 $$'), 137],
        [sh('kill -TERM $$'), 143],
        [['true'], 0],
      ])('%j ends with %i', async (command, code) => {
        expect((await ended(await streams.exec('output=1', ...command))).status).toMatchObject(codeOf(code));
      });

      it('a program that is not there, or no program, is named as a kubelet names it', async () => {
        const missing = await ended(await streams.exec('output=1', 'no-such-program'));
        expect(missing.status).toMatchObject({
          message: expect.stringContaining('exec: "no-such-program": executable file not found in $PATH'),
        });
        expect((await ended(await streams.exec('output=1', '/etc'))).status).toMatchObject({
          message: expect.stringMatching(/exec: "\/etc": /),
        });
      });

      it('every byte of megabytes there and back at once, and the end of the input', async () => {
        const client = await streams.exec('input=1&output=1', 'cat');
        const input = randomBytes(3_000_000);
        for (let at = 0; at < input.length; at += 100_000) client.send(0, input.subarray(at, at + 100_000));
        client.end(0);
        await ended(client);
        expect(hash(latin(client.text(1)))).toBe(hash(input));
        expect(client.status).toMatchObject(codeOf(0));
      });

      it('input that the command does not want holds up nobody, and one that never reads nothing else', async () => {
        const client = await streams.exec('input=1&output=1', ...sh('head -c 3; sleep 0.3; echo; exit 4'));
        client.send(0, Buffer.alloc(500_000, 'abc'));
        expect((await ended(client)).text(1)).toBe('abc\n');
        expect(client.status).toMatchObject(codeOf(4));
      });

      it('a client that takes nothing holds up the command, and all of it comes when it does', async () => {
        // `script`, which stands for the terminal of ACI, reads nothing either while it can't write.
        await streams.open({});
        const client = await streams.exec(
          'output=1',
          ...sh('head -c 20000000 /dev/zero; touch "$0"', join(streams.words.dir, 'written')),
        );
        client.socket.pause();
        await sleep(2_500);
        expect(existsSync(join(streams.words.dir, 'written'))).toBe(false);
        client.socket.resume();
        expect((await ended(client)).text(1).length).toBe(20_000_000);
        expect(client.status).toMatchObject(codeOf(0));
      });

      it('a terminal has the size of the window, and follows it', async () => {
        const client = await streams.exec('input=1&output=1&tty=1', ...sh('stty size; read _; stty size; tty; exit 5'));
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
        const interrupted = await streams.exec('input=1&output=1&tty=1', ...sh('echo up; sleep 60'));
        await until('it is up', () => interrupted.text(1).includes('up'));
        interrupted.send(0, '\u0003');
        expect((await ended(interrupted)).status).toMatchObject(codeOf(130));
        const left = await streams.exec('input=1&output=1&tty=1', ...sh('cat; exit 6'));
        left.end(0);
        expect((await ended(left)).status).toMatchObject(codeOf(6));
      });

      it('a client that goes ends its command, also one that does not listen to SIGHUP', async () => {
        const file = join(streams.words.dir, 'pid');
        const client = await streams.exec(
          'input=1&output=1',
          ...sh('trap "" HUP; echo $$ >"$0"; echo up; while :; do sleep 0.1; done', file),
        );
        await until('it is up', () => client.text(1) === 'up\n');
        client.socket.terminate();
        const pid = Number(readFileSync(file, 'utf8'));
        await until('it has ended', () => !existsSync(`/proc/${pid}`), 10_000);
        await until('nothing is left', () => streams.rig.sessions.size === 0);
        expect(pid).toBeGreaterThan(1);
      });

      it('lives on while nobody says anything', async () => {
        const client = await streams.exec('output=1', ...sh('sleep 3; echo over'));
        expect((await ended(client)).text(1)).toBe('over\n');
      });

      it('twenty at once', async () => {
        const all = await Promise.all(
          Array.from({ length: 20 }, async (_, code) =>
            ended(await streams.exec('output=1', ...sh(`echo ${code}; exit ${code}`))),
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
        const client = await streams.exec('output=1', ...sh('echo one; sleep 0.5; echo two; sleep 5'));
        await until('the first', () => client.text(1) === 'one\n');
        streams.rig.aci.meddle = meddle;
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
        streams.rig.aci.agent = { agent, ports: 'true' };
        const client = await ended(await streams.exec('output=1', 'true'));
        expect(client.text(1)).toBe('');
        // Who says no hello is no agent: the shell is asked.
        expect(client.status).toMatchObject(status);
      });

      it('cut: nobody knows the exit code, and that is said', async () => {
        const client = await streams.exec('output=1', ...sh('echo up; sleep 60'));
        await until('it is up', () => client.text(1) === 'up\n');
        streams.rig.aci.cut();
        expect((await ended(client)).status).toMatchObject({
          message: expect.stringContaining('nobody knows its exit code'),
        });
      });

      it('an agent that says nothing any more has gone', async () => {
        const file = join(streams.words.dir, 'stopped');
        const client = await streams.exec('output=1', ...sh('echo $PPID >"$0"; echo up; exec sleep 60', file));
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
        streams.rig.aci.agent = { agent: 'echo exec failed: no such file or directory', ports: 'true' };
        const client = await ended(await streams.exec('output=1&error=1', ...sh('echo out; exit 3')));
        expect([client.text(1), client.status]).toEqual(['out\n', expect.objectContaining(codeOf(3))]);
        expect(streams.rig.offered).toEqual([['agent'], []]);
      });

      it('so is one whose arguments are no UTF-8', async () => {
        const client = await ended(await streams.channels('/exec/ns/p/c?output=1&command=printf&command=%FF'));
        expect(client.text(1)).toBe('\u00FF');
        expect(streams.rig.offered).toEqual([[]]);
      });

      it('an agent that is of another version is not guessed at', async () => {
        streams.rig.aci.agent = { agent: `sh -c 'echo SK1 {\\"version\\":2,\\"window\\":65536}; cat'`, ports: 'true' };
        expect((await ended(await streams.exec('output=1', 'true'))).status).toMatchObject({
          message: expect.stringContaining('of a version that this node does not speak to'),
        });
      });
    });
  },
);
