/** The processes of the laptop cloud: started, watched, and ended with all they have started themselves. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { recordProcess, signalGroup } from './leftovers.ts';
import { defined } from '../../shared/core/defined.ts';

/** What is started, and what becomes of its output. */
export interface ChildOptions {
  /** Shown in errors, and the name of the record under `pidDir`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment; this process's own unless given. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Both outputs are appended here. */
  readonly logFile: string;
  /** `pipe` opens {@link Child.stdin}; otherwise the child reads nothing. */
  readonly stdin?: 'ignore' | 'pipe';
  /** Where the process is recorded while it runs, so that a later start can end it (`endLeftovers`). */
  readonly pidDir?: string;
  /** What the child gets when this process dies without having stopped it. Linux only; `stopSignal` unless given. */
  readonly onParentDeath?: 'SIGTERM' | 'SIGKILL';
  /** What `stop` sends first; SIGTERM unless given. */
  readonly stopSignal?: 'SIGTERM' | 'SIGINT';
  /** Sees every line of both outputs, after the log. */
  readonly onLine?: (line: string) => void;
}

/** A child that says in one of its lines when it is ready. */
export interface ReadyChildOptions<T> extends ChildOptions {
  /** Given each line of both outputs until it answers something else than undefined: that is the child's value. */
  readonly ready: (line: string) => T | undefined;
  readonly readyTimeoutMs: number;
}

/** How a process ended: its exit code, or the signal that killed it. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running child, the leader of its own process group. */
export interface Child<T> {
  readonly name: string;
  readonly pid: number;
  readonly value: T;
  readonly logFile: string;
  readonly stdin: Writable | null;
  /** Resolves, never rejects, when the process has ended and its output is in the log. */
  readonly exited: Promise<ChildExit>;
  /** The last lines it wrote, for an error message. */
  lastLines(): string;
  /** `stopSignal` (SIGINT to the leader alone), after `graceMs` SIGKILL, to the whole process group; resolves when it is gone. Safe to repeat. */
  stop(graceMs: number): Promise<ChildExit>;
  /** Sends `signal` to the whole process group, and does not wait. */
  kill(signal: NodeJS.Signals): void;
}

type Started = Omit<Child<undefined>, 'value'> & { readonly lines: Set<(line: string) => void> };

const rememberedLines = 20;
const outputGraceMs = 500;
const running = new Set<number>();
process.on('exit', () => {
  for (const pid of running) signalGroup(pid, 'SIGKILL');
});

/**
 * Starts a process. Without `ready` it resolves once the process exists, with it once it said that it is ready. A
 * process that cannot be started, ends first or is late is an error with its last lines and the log's path; a late
 * one is killed.
 */
export async function startChild<T>(options: ReadyChildOptions<T>): Promise<Child<T>>;
export async function startChild(options: ChildOptions): Promise<Child<undefined>>;
export async function startChild<T>(options: ChildOptions | ReadyChildOptions<T>): Promise<Child<T | undefined>> {
  const started = await spawnChild(options);
  const value = 'ready' in options ? await readiness(started, options) : undefined;
  return { ...started, value };
}

/** The sentence for a child that ended by itself: how, its last lines, and where to read more. */
export function describeExit(child: Pick<Child<unknown>, 'name' | 'logFile' | 'lastLines'>, exit: ChildExit): string {
  const how = exit.signal === null ? `exited with code ${exit.code}` : `was killed by ${exit.signal}`;
  return withLog(`${child.name} ${how}`, child);
}

function withLog(sentence: string, child: Pick<Child<unknown>, 'logFile' | 'lastLines'>): string {
  const lines = child.lastLines();
  return `${sentence}${lines === '' ? '' : `; its last lines:\n${lines}`}\n(log: ${child.logFile})`;
}

async function readiness<T>(child: Started, options: ReadyChildOptions<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const listener = (line: string): void => {
    try {
      const value = options.ready(line);
      if (value !== undefined) resolve(value);
    } catch (error) {
      reject(error);
    }
  };
  child.lines.add(listener);
  const timer = setTimeout(
    () => reject(new Error(withLog(`${child.name} was not ready within ${options.readyTimeoutMs / 1000} s`, child))),
    options.readyTimeoutMs,
  );
  void child.exited.then((exit) => reject(new Error(describeExit(child, exit))));
  try {
    return await promise;
  } catch (error) {
    await child.stop(0);
    throw error;
  } finally {
    clearTimeout(timer);
    child.lines.delete(listener);
  }
}

async function spawnChild(options: ChildOptions): Promise<Started> {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const { command, args } = boundToParent(options);
  const child = spawn(command, args, {
    detached: true,
    stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
    ...defined({ cwd: options.cwd, env: options.env }),
  });
  const pid = await spawned(child, options);
  running.add(pid);
  const record =
    options.pidDir === undefined
      ? undefined
      : recordProcess(options.pidDir, options.name, { pid, commandLine: [options.command, ...options.args] });
  const output = teeOutput(child, options);
  const exited = exitOf(child, output.ended).then((exit) => {
    running.delete(pid);
    if (record !== undefined) rmSync(record, { force: true });
    return exit;
  });
  return {
    name: options.name,
    pid,
    logFile: options.logFile,
    stdin: child.stdin,
    exited,
    lines: output.lines,
    lastLines: () => output.recent.join('\n'),
    kill: (signal) => void signalGroup(pid, signal),
    stop: (graceMs) => stopGroup(pid, exited, { graceMs, signal: options.stopSignal ?? 'SIGTERM' }),
  };
}

function spawned(child: ChildProcess, { name, command }: ChildOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`${name} cannot be started (${command}): ${error.message}`)));
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
}

function teeOutput(child: ChildProcess, options: ChildOptions) {
  const log = createWriteStream(options.logFile, { flags: 'a' });
  log.on('error', () => undefined); // a log that cannot be written must not end what it is about
  const recent: string[] = [];
  const lines = new Set<(line: string) => void>();
  if (options.onLine !== undefined) lines.add(options.onLine);
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
  const ends = streams.map((stream) => {
    stream.pipe(log, { end: false });
    const reader = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
    reader.on('line', (line) => {
      recent.push(line);
      if (recent.length > rememberedLines) recent.shift();
      for (const listener of lines) listener(line);
    });
    return new Promise<void>((resolve) => {
      reader.once('close', () => resolve());
    });
  });
  const ended = Promise.all(ends).then(() => new Promise<void>((resolve) => void log.end(() => resolve())));
  return { recent, lines, ended };
}

/** A grandchild may hold the outputs open after its parent's end: they are waited for, but not for long. */
async function exitOf(child: ChildProcess, outputEnded: Promise<void>): Promise<ChildExit> {
  const exit = await new Promise<ChildExit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const waiting = new AbortController();
  await Promise.race([outputEnded, sleep(outputGraceMs, undefined, { signal: waiting.signal }).catch(() => undefined)]);
  waiting.abort();
  return exit;
}

function signalLeader(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** What the leader leaves in its group when it ends gets SIGKILL: it had its chance to end that itself. */
async function stopGroup(
  pid: number,
  exited: Promise<ChildExit>,
  { graceMs, signal }: { readonly graceMs: number; readonly signal: NodeJS.Signals },
): Promise<ChildExit> {
  if (!running.has(pid)) return exited;
  // SIGINT asks the leader alone, who ends the others after what they have in hand.
  if (graceMs === 0) signalGroup(pid, 'SIGKILL');
  else if (signal === 'SIGINT') signalLeader(pid, signal);
  else signalGroup(pid, signal);
  const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs);
  const exit = await exited;
  clearTimeout(timer);
  signalGroup(pid, 'SIGKILL');
  return exit;
}

let parentDeathSupported: boolean | undefined;

/** `setpriv` replaces itself by the command, so that the process id stays; it asks the kernel for the signal. */
function boundToParent({ command, args, onParentDeath, stopSignal }: ChildOptions): {
  command: string;
  args: string[];
} {
  parentDeathSupported ??=
    process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true']).status === 0;
  if (!parentDeathSupported) return { command, args: [...args] };
  const signal = (onParentDeath ?? stopSignal ?? 'SIGTERM').slice('SIG'.length);
  return { command: 'setpriv', args: ['--pdeathsig', signal, '--', command, ...args] };
}
