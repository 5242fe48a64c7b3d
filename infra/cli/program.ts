/** Other programs (az, kubectl, helm), run as the operator has them on PATH. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

export interface ProgramRun {
  /** What the program reads on its standard input; nothing unless given. */
  readonly input?: string;
  /** After this it is killed and has the code 124. */
  readonly timeoutMs?: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

/** What came of a run. A non-zero code is a value. */
export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** No such program on PATH. */
export const notInstalled = 127;
const timedOut = 124;
const defaultTimeoutMs = 120_000;

/** Runs a program to its end. Never rejects: a program that is not there has the code 127, one that is too slow 124. */
export async function runProgram(binary: string, args: readonly string[], run: ProgramRun): Promise<ProgramResult> {
  const child = spawn(binary, [...args], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...run.environment } });
  const { promise: closed, resolve } = Promise.withResolvers<number>();
  child.once('error', () => resolve(notInstalled));
  child.once('close', (code) => resolve(code ?? timedOut));
  child.stdin.on('error', () => undefined); // a program that ends early does not read all its input
  child.stdin.end(run.input ?? '');
  const kill = (): void => void child.kill('SIGKILL');
  const timer = setTimeout(kill, run.timeoutMs ?? defaultTimeoutMs);
  run.signal?.addEventListener('abort', kill, { once: true });
  try {
    const [code, stdout, stderr] = await Promise.all([closed, text(child.stdout), text(child.stderr)]);
    return { code, stdout, stderr };
  } finally {
    clearTimeout(timer);
    run.signal?.removeEventListener('abort', kill);
  }
}

/** The last line of what a program said, without its own prefix: the part that a sentence can end with. */
export function lastLine({ stderr, stdout }: ProgramResult): string {
  const lines = (stderr.trim() === '' ? stdout : stderr).trim().split('\n');
  return (lines.at(-1) ?? '').replace(/^(error|ERROR|Error):\s*/, '').trim();
}
