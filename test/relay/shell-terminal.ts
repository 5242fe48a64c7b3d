/** Commands run through a shell of this machine behind a terminal of its own, without a network. */
import { spawn } from 'node:child_process';
import { runInShell } from '../../infra/cluster/relay/kubelet/shell/shell-session.ts';
import type { FarTerminal } from '../../infra/cluster/relay/kubelet/shell/shell-session.ts';
import { ByteQueue } from '../../infra/cluster/relay/kubelet/streams/byte-queue.ts';
import type { CommandStreams, Outcome } from '../../infra/cluster/relay/kubelet/streams/command-streams.ts';

export interface RanCommand {
  readonly outcome: Outcome;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export interface ShellRun {
  /** Command line of the shell that stands for `/bin/sh`. */
  readonly shell?: string;
  readonly tty?: boolean;
  readonly input?: Uint8Array;
  /** The input comes when the command has written this; at once unless given. */
  readonly after?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What becomes of what is typed, on its way. */
  readonly meddle?: (bytes: Buffer) => Buffer;
}

const nonce = '0123456789abcdef01234567';

/** Runs one command, by its words. */
export async function runThrough(words: readonly (string | Uint8Array)[], run: ShellRun = {}): Promise<RanCommand> {
  const { shell = '/bin/sh', tty = false, input, after = '', env = {}, meddle = (bytes: Buffer) => bytes } = run;
  const child = spawn('script', ['-qfec', shell, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...env },
  });
  const output = new ByteQueue(Infinity);
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stdin.on('error', () => undefined);
  child.on('close', () => output.end());
  const terminal: FarTerminal = {
    heard: Promise.resolve(),
    send: async (bytes) => {
      const typed = Buffer.from(bytes).toString('latin1').replace('exec /bin/sh -c', `exec ${shell} -c`);
      child.stdin.write(meddle(Buffer.from(typed, 'latin1')));
    },
    read: () => output.read(),
    close: () => void child.kill('SIGKILL'),
  };
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const outcome = await runInShell({
    terminal,
    command: {
      words: words.map((word) => Buffer.from(word)),
      tty,
      hasStdin: input !== undefined,
      size: { columns: 100, rows: 30 },
    },
    streams: streamsOf({ input, after }, { stdout, stderr }),
    signal: new AbortController().signal,
    nonce,
    beginMs: 10_000,
  });
  child.kill('SIGKILL');
  return { outcome, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
}

function streamsOf(
  { input, after }: { readonly input: Uint8Array | undefined; readonly after: string },
  { stdout, stderr }: { readonly stdout: Buffer[]; readonly stderr: Buffer[] },
): CommandStreams {
  const stdin = input === undefined ? undefined : new ByteQueue(Infinity);
  const typeInput = (): void => {
    if (!Buffer.concat(stdout).includes(after)) return;
    stdin?.push(input ?? Buffer.alloc(0));
    stdin?.end();
  };
  typeInput();
  const sink = (to: Buffer[]) => ({
    write: async (bytes: Uint8Array) => {
      to.push(Buffer.from(bytes));
      typeInput();
    },
  });
  return {
    stdin,
    stdout: sink(stdout),
    stderr: sink(stderr),
    nextSize: async () => undefined,
    gone: new AbortController().signal,
    finish: async () => undefined,
    destroy: () => undefined,
  };
}
