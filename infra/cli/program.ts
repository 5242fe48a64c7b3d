/** Other programs (az, kubectl, helm), run as the operator has them on PATH. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

export interface ProgramRun {
  /** What the program reads on its standard input; nothing unless given. */
  readonly input?: string;
  /** After this it is ended and has the code 124. */
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
/** It did not end in its time. */
export const timedOut = 124;
const defaultTimeoutMs = 120_000;
/** What a program has to end by itself: a helm that is killed leaves its release pending. */
const endGraceMs = 5000;

/** Runs a program to its end. Never rejects: a program that is not there has the code 127, one that is too slow 124. */
export async function runProgram(binary: string, args: readonly string[], run: ProgramRun): Promise<ProgramResult> {
  const child = spawn(binary, [...args], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...run.environment } });
  const closed = new Promise<number>((resolve) => {
    child.once('error', () => resolve(notInstalled));
    child.once('close', (code) => resolve(code ?? timedOut));
  });
  child.stdin.on('error', () => undefined); // a program that ends early does not read all its input
  child.stdin.end(run.input ?? '');
  let isLate = false;
  let killTimer: NodeJS.Timeout | undefined;
  const end = (): void => {
    child.kill('SIGTERM');
    killTimer ??= setTimeout(() => {
      child.kill('SIGKILL');
      // The az of packages is a shell script: what it started holds the streams open after it.
      child.stdout.destroy();
      child.stderr.destroy();
    }, endGraceMs);
  };
  const timer = setTimeout(() => {
    isLate = true;
    end();
  }, run.timeoutMs ?? defaultTimeoutMs);
  run.signal?.addEventListener('abort', end, { once: true });
  if (run.signal?.aborted === true) end();
  try {
    const said = [child.stdout, child.stderr].map((stream) => text(stream).catch(() => ''));
    const [code, stdout = '', stderr = ''] = await Promise.all([closed, ...said]);
    return { code: isLate ? timedOut : code, stdout, stderr };
  } finally {
    clearTimeout(timer);
    clearTimeout(killTimer);
    run.signal?.removeEventListener('abort', end);
  }
}

/** The last line of what a program said, without its own prefix: the part that a sentence can end with. */
export function lastLine({ stderr, stdout }: ProgramResult): string {
  const lines = (stderr.trim() === '' ? stdout : stderr).trim().split('\n');
  return (lines.at(-1) ?? '').replace(/^(error|ERROR|Error):\s*/, '').trim();
}
