import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { constants } from 'node:os';
import { PassThrough } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import { renderLog } from '../engine/log-text.ts';
import type { LogLine } from '../engine/log-text.ts';
import { signal } from '../engine/processes.ts';
import { treeUsage } from '../usage/process-tree.ts';
import type { ContainerEnd, RunningContainer, Terminal } from '../runtime.ts';
import { bytesOf, failedTerminal } from '../terminals.ts';
import type { TerminalOrder } from '../terminals.ts';

export interface RunningProcess {
  readonly child: ChildProcess;
  /** What gets the signals: a process, or (negative) a group. It may become known after the start. */
  readonly target: () => number;
  readonly execute: RunningContainer['execute'];
  /** Of a command beside it, which ends with it. */
  readonly openTerminal: (order: TerminalOrder) => Promise<Terminal>;
}

/** The handle of a child process whose streams nobody has read yet. */
export function runningProcess(options: RunningProcess): RunningContainer {
  const { child } = options;
  const send = (name: NodeJS.Signals) => signal(options.target(), name);
  const log = collectLog(child);
  const ended = endOf(child);
  return {
    kind: 'running',
    id: randomBytes(32).toString('hex'),
    startedAt: Date.now(),
    wait: () => ended,
    async stop(graceSeconds) {
      if (hasEnded(child)) return;
      if (graceSeconds > 0) {
        send('SIGTERM');
        const timer = new AbortController();
        const late = sleep(graceSeconds * 1000, true, { signal: timer.signal }).catch(() => false);
        const inTime = !(await Promise.race([late, ended.then(() => false)]));
        timer.abort();
        if (inTime) return;
      }
      send('SIGKILL');
      await ended;
    },
    readLogs: async (logOptions) => renderLog(log(), logOptions),
    execute: options.execute,
    usage: async () => (hasEnded(child) || child.pid === undefined ? undefined : treeUsage(child.pid)),
    openTerminal: async (command, size) =>
      hasEnded(child) ? failedTerminal('the container has ended') : options.openTerminal({ command, size, ended }),
    followOutput: async (abort) => followStreams(child, ended, abort),
  };
}

function followStreams(child: ChildProcess, ended: Promise<unknown>, abort: AbortSignal): AsyncIterable<Uint8Array> {
  const seen = new PassThrough();
  const pass = (bytes: Uint8Array): void => void (seen.writable && seen.write(bytes));
  const streams = [child.stdout, child.stderr];
  for (const stream of streams) stream?.on('data', pass);
  const over = (): void => {
    for (const stream of streams) stream?.off('data', pass);
    seen.end();
  };
  abort.addEventListener('abort', over, { once: true });
  void ended.then(over);
  return bytesOf(seen);
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function endOf(child: ChildProcess): Promise<ContainerEnd> {
  // Before "exit" nothing is awaited, so that it cannot have passed; "close" comes when the streams are read too.
  const closed = once(child, 'close');
  await once(child, 'exit');
  const finishedAt = Date.now();
  // A grandchild may hold the streams open for ever.
  await Promise.race([closed, sleep(200, undefined, { ref: false })]);
  return { exitCode: exitCodeOf(child), finishedAt, oomKilled: false };
}

/** A shell's convention for what a signal ended: 128 + its number. */
export function exitCodeOf(child: ChildProcess): number {
  return child.exitCode ?? (child.signalCode === null ? 1 : 128 + constants.signals[child.signalCode]);
}

const longestLog = 4 * 2 ** 20;

/** Gathers both streams as dated lines; the oldest go when there is too much. */
function collectLog(child: ChildProcess): () => LogLine[] {
  const lines: LogLine[] = [];
  const open = new Map<string, LogLine>();
  // Not the streams' own encoding: others read their bytes.
  const decoders = { stdout: new StringDecoder(), stderr: new StringDecoder() };
  let size = 0;
  const add = (line: LogLine) => {
    lines.push(line);
    size += line.text.length;
    while (size > longestLog && lines.length > 1) size -= lines.shift()?.text.length ?? 0;
  };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.on('data', (bytes: Buffer) => {
      const text = decoders[name].write(bytes);
      const timestamp = new Date().toISOString();
      const parts = text.split('\n');
      const last = parts.pop() ?? '';
      for (const part of parts) {
        const begun = open.get(name);
        open.delete(name);
        add({ timestamp: begun?.timestamp ?? timestamp, text: (begun?.text ?? '') + part, ended: true });
      }
      const begun = open.get(name);
      if (last !== '')
        open.set(name, { timestamp: begun?.timestamp ?? timestamp, text: (begun?.text ?? '') + last, ended: false });
    });
  return () => [...lines, ...open.values()];
}
