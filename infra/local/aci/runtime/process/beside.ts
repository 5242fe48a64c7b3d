import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { signal } from '../engine/processes.ts';
import type { Terminal } from '../runtime.ts';
import { bytesOf, failedTerminal, merged, written } from '../terminals.ts';
import type { TerminalOrder } from '../terminals.ts';
import { launch, launchAttempts } from './launch.ts';
import type { Launch } from './launch.ts';
import { exitCodeOf, hasEnded } from './running.ts';
import { hasScript, scriptCommand } from './script.ts';

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
  atTerminal = hasScript(),
): Promise<Terminal> {
  const [program = '', ...args] = command;
  const { child } = await launchedWell({
    ...plan,
    environment: { TERM: 'xterm', ...plan.environment },
    command: atTerminal ? scriptCommand(command, size) : [program, ...args],
    takesInput: true,
  });
  if (child === undefined) return failedTerminal(`exec: "${program}": not found on this machine`);
  child.stdin?.on('error', () => undefined);
  void ended.then(() => endGroup(child));
  const shown = merged(child, atTerminal ? '' : 'util-linux (script) is not installed: plain pipes, no terminal\r\n');
  return {
    output: bytesOf(shown),
    type: (bytes) => (child.stdin === null ? Promise.resolve() : written(child.stdin, bytes)),
  };
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

function endGroup(child: ChildProcess): void {
  if (!hasEnded(child) && child.pid !== undefined) signal(-child.pid, 'SIGKILL');
}
