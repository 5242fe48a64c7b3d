import { spawn } from 'node:child_process';

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly environment?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
}

/** Runs a program to its end. A program that is missing ends with 127; one that takes too long is ended, with 124. */
export function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: options.environment ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    let late = false;
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            late = true;
            child.kill('SIGTERM');
          }, options.timeoutMs);
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
      });
    child.on('error', (error) => {
      clearTimeout(timer);
      if ('code' in error && error.code === 'ENOENT')
        resolve({ exitCode: 127, stdout: '', stderr: `${program}: not found` });
      else reject(error);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const stderr = late ? `${output.stderr}\n${program} timed out after ${options.timeoutMs} ms` : output.stderr;
      resolve({ exitCode: late ? 124 : (code ?? (signal === null ? 1 : 128)), stdout: output.stdout, stderr });
    });
  });
}
