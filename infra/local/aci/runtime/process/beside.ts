import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { onPath } from '../engine/backend.ts';
import { signal } from '../engine/processes.ts';
import type { Terminal, TerminalSize } from '../runtime.ts';
import { bytesOf, failedTerminal, written } from '../terminals.ts';
import type { TerminalOrder } from '../terminals.ts';
import { launch, launchAttempts } from './launch.ts';
import type { Launch } from './launch.ts';
import { exitCodeOf, hasEnded } from './running.ts';

/** Runs a command with the files and the environment of a container, beside it; what takes too long is killed, with 124. */
export async function executeBeside(
  plan: Launch,
  [program = '', ...args]: readonly string[],
  timeoutMs: number,
): Promise<{ exitCode: number; output: string }> {
  const timer = new AbortController();
  const late = sleep(timeoutMs, 'late' as const, { signal: timer.signal }).catch(() => 'late' as const);
  for (let attempt = 1; ; attempt += 1) {
    const { child, began } = launch({ ...plan, command: [program, ...args] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    const closed = once(child, 'close').then(
      () => 'ended' as const,
      (error: unknown) => {
        output += String(error);
        return 'failed' as const;
      },
    );
    const outcome = await Promise.race([late, closed]);
    if (outcome === 'ended' && attempt < launchAttempts && !(await began)) continue;
    timer.abort();
    if (outcome === 'failed') return { exitCode: 127, output };
    if (outcome === 'ended') return { exitCode: exitCodeOf(child), output };
    endGroup(child);
    return { exitCode: 124, output };
  }
}

/**
 * Runs a command at a terminal, beside a container. Without `script` there are plain pipes in its place, and the first
 * thing they show is a sentence that says so.
 */
export async function openTerminalBeside(
  plan: Launch,
  { command, size, ended }: TerminalOrder,
  hasScript = onPath('script') !== undefined,
): Promise<Terminal> {
  const [program = '', ...args] = command;
  const environment = { TERM: 'xterm', ...plan.environment };
  const atTerminal = scriptCommand([program, ...args], size);
  const wanted: Launch = {
    ...plan,
    environment,
    command: hasScript ? atTerminal : [program, ...args],
    takesInput: true,
  };
  const { child } = await launchedWell(wanted);
  if (child === undefined) return failedTerminal(`exec: "${program}": not found on this machine`);
  child.stdin?.on('error', () => undefined);
  void ended.then(() => endGroup(child));
  const shown = merged(child, hasScript ? '' : 'util-linux (script) is not installed: plain pipes, no terminal\r\n');
  return {
    output: bytesOf(shown),
    type: (bytes) => (child.stdin === null ? Promise.resolve() : written(child.stdin, bytes)),
  };
}

/** A shell sets the size, since `script` has none of its own to pass on, and becomes the command. */
function scriptCommand(command: readonly string[], { rows, columns }: TerminalSize): [string, ...string[]] {
  const words = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  const line = `stty rows ${rows} cols ${columns}; exec ${words.join(' ')}`;
  return ['script', '--quiet', '--flush', '--command', line, '/dev/null'];
}

/** Starts it, again where bubblewrap could not lay it out; `undefined` where there is no such program. */
async function launchedWell(plan: Launch): Promise<{ readonly child: ChildProcess | undefined }> {
  for (let attempt = 1; ; attempt += 1) {
    const { child, began } = launch(plan);
    try {
      await once(child, 'spawn');
    } catch {
      return { child: undefined };
    }
    if ((await began) || attempt === launchAttempts) return { child };
    for (const stream of child.stdio) stream?.destroy();
  }
}

/** Both streams as they come, after a sentence of ours. */
function merged(child: ChildProcess, sentence: string): PassThrough {
  const both = new PassThrough();
  both.write(sentence);
  let open = 2;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.pipe(both, { end: false });
    stream?.once('close', () => {
      open -= 1;
      if (open === 0) both.end();
    });
  }
  return both;
}

function endGroup(child: ChildProcess): void {
  if (!hasEnded(child) && child.pid !== undefined) signal(-child.pid, 'SIGKILL');
}
