/** What is typed into a shell, tried on the shells that there are: what arrives, what comes back, and what is told when neither can be. */
import { accessSync, constants, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runThrough } from '../relay/shell-terminal.ts';
import type { ShellRun } from '../relay/shell-terminal.ts';

const exists = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** `/bin/sh` of Debian and its like, of Alpine and its like, and of the Red Hat family. */
const shells = [
  ['/bin/sh', '/bin/sh'],
  ['/bin/bash', '/bin/bash --posix'],
  ['/usr/bin/busybox', '/usr/bin/busybox sh'],
].flatMap(([path = '', shell = '']) => (exists(path) ? [shell] : []));

const exited = (code: number): object => ({ kind: 'exited', code });
const script = (text: string): readonly string[] => ['/bin/sh', '-c', text];

describe.each(shells)('through %s', (shell) => {
  const run = (words: readonly (string | Uint8Array)[], how: ShellRun = {}) => runThrough(words, { shell, ...how });

  it('words arrive byte for byte, whatever is in them', async () => {
    const every = Buffer.from(Array.from({ length: 255 }, (_, at) => at + 1));
    const words = [
      every,
      '',
      "'",
      '"',
      '\\',
      '$x`y`',
      '\n\n',
      '-n',
      '--',
      ' a ',
      '*',
      '~',
      '#',
      'é',
      Buffer.alloc(5000, 'long '),
    ];
    const { stdout, outcome } = await run(['printf', String.raw`%s\036`, ...words]);
    expect(stdout).toEqual(Buffer.concat(words.flatMap((word) => [Buffer.from(word), Buffer.from([0x1e])])));
    expect(outcome).toEqual(exited(0));
  });

  it('any words do', async () => {
    const word = fc.uint8Array({ maxLength: 40 }).map((bytes) => bytes.filter((byte) => byte !== 0 && byte !== 0x1e));
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 10 }), async (words) => {
        const { stdout } = await run(['printf', String.raw`%s\036`, ...words]);
        expect(stdout).toEqual(Buffer.concat(words.flatMap((one) => [one, Buffer.from([0x1e])])));
      }),
      { numRuns: 6 },
    );
  });

  it('output and errors are told apart, byte for byte, also when both come at once', async () => {
    const both = 'printf "a\\r\\nb\\001"; echo one >&2; printf "two" >&2';
    const { stdout, stderr, outcome } = await run(script(both));
    expect([stdout.toString('latin1'), stderr.toString(), outcome]).toEqual(['a\r\nb\u0001', 'one\ntwo', exited(0)]);
    const much = await run(
      script(
        'head -c 1000000 /dev/zero & i=0; while [ $i -lt 60 ]; do i=$((i+1)); printf "%0700d\\n" $i >&2; done; wait',
      ),
    );
    expect(much.stdout.equals(Buffer.alloc(1_000_000))).toBe(true);
    const lines = Array.from({ length: 60 }, (_, at) => `${String(at + 1).padStart(700, '0')}\n`).join('');
    expect(much.stderr.toString()).toBe(lines);
  });

  it.each([
    ['its own code', 'exit 7', 7],
    ['the most that there is', 'exit 255', 255],
    ['a signal that ended it', 'kill -9 $$', 137],
    ['another', 'kill -15 $$', 143],
  ])('the exit code is %s', async (_, text, code) => {
    const { outcome, stdout, stderr } = await run(script(text));
    expect([outcome, stdout.length, stderr.length]).toEqual([exited(code), 0, 0]);
  });

  it('programs see no terminal, no input, and nothing of the script in their environment', async () => {
    const { stdout } = await run(script('tty; wc -c; env'), { env: { MINE: 'x' } });
    const text = stdout.toString();
    expect(text).toMatch(/^not a tty\n\s*0\n/);
    expect(text).toContain('MINE=x');
    expect(text).not.toMatch(/^__/m);
  });

  it('input arrives byte for byte, and ends', async () => {
    const input = Buffer.from(Array.from({ length: 20_000 }, (_, at) => (at * 31 + (at >> 7)) % 256));
    const { stdout, outcome } = await run(['cat'], { input });
    expect(stdout.equals(input)).toBe(true);
    expect(outcome).toEqual(exited(0));
    expect((await run(['cat'], { input: Buffer.alloc(0) })).stdout).toHaveLength(0);
  });

  it('a command that reads only a part of its input ends all the same', async () => {
    const { stdout, outcome } = await run(script('head -c 3; exit 4'), { input: Buffer.alloc(200_000, 'abc') });
    expect([stdout.toString(), outcome]).toEqual(['abc', exited(4)]);
  });

  it('with a terminal it is one, of the size asked for, and its code comes back', async () => {
    const { stdout, outcome } = await run(script('tty; stty size; exit 3'), { tty: true });
    expect(stdout.toString()).toMatch(/^\/dev\/pts\/\d+\r\n30 100\r\n$/);
    expect(outcome).toEqual(exited(3));
  });

  it('what is typed into a terminal arrives; Ctrl-C ends the command and not the session', async () => {
    const typed = await run(script('read line; echo "got $line"'), { tty: true, input: Buffer.from('hi\r') });
    expect(typed.stdout.toString()).toContain('got hi\r\n');
    const stop = { tty: true, input: Buffer.from('\u0003'), after: 'ready' };
    const stopped = await run(script('echo ready; sleep 30'), stop);
    expect(stopped.outcome).toEqual(exited(130));
  });

  it.each([
    [['no-such-program'], 'exec: "no-such-program": executable file not found in $PATH'],
    [['/no/such/program'], 'exec: "/no/such/program": stat /no/such/program: no such file or directory'],
    [['/etc/passwd'], 'exec: "/etc/passwd": permission denied'],
    // A builtin of the shell is no program of the image.
    [['export'], 'exec: "export": executable file not found in $PATH'],
    [['a\0b'], 'an argument holds a NUL'],
  ])('%j', async (words, why) => {
    expect((await run(words)).outcome).toEqual({
      kind: 'failed',
      message: `error executing command in container: ${why}`,
    });
  });

  it('input that is lost or changed on its way is never taken for the whole', async () => {
    let lines = 0;
    const losing = (bytes: Buffer): Buffer => {
      lines += 1;
      return lines === 12 ? Buffer.alloc(0) : bytes;
    };
    const lost = await run(['cat'], { input: Buffer.alloc(20_000, 'x'), meddle: losing });
    expect(lost.outcome).toEqual({
      kind: 'failed',
      message: expect.stringContaining('a part of the input was lost on its way into the container'),
    });
  });
});

describe('an image that has little', () => {
  let dir = '';
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'few-programs-'));
    symlinkSync('/bin/ls', join(dir, 'ls'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  const run = (words: readonly string[], how: ShellRun = {}) =>
    runThrough(words, { shell: `/usr/bin/env PATH=${dir} ENV= /bin/sh`, ...how });

  it('without stty and cat: output with plain ends of lines, and a note of what is lost', async () => {
    const { stdout, stderr, outcome } = await run(['ls', dir, '/nope']);
    expect([stdout.toString(), outcome]).toEqual([`${dir}:\nls\n`, exited(2)]);
    expect(stderr.toString()).toMatch(
      /^note: the image has no "stty".*\nls: cannot access '\/nope': No such file or directory\n$/,
    );
  });

  it('without stty a terminal is as it was', async () => {
    expect((await run(['ls', dir], { tty: true })).stdout.toString()).toBe('ls\r\n');
  });

  it('without stty there is no input without a terminal, and that is said', async () => {
    const { outcome } = await run(['ls'], { input: Buffer.from('x') });
    expect(outcome).toMatchObject({ kind: 'failed', message: expect.stringContaining('needs "stty" in the image') });
  });
});
