import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { renderLog } from '../engine/log-text.ts';
import type { LogLine } from '../engine/log-text.ts';
import { signal } from '../engine/processes.ts';
import type { ContainerEnd, RunningContainer } from '../runtime.ts';
import { treeUsage } from '../usage/process-tree.ts';

export interface RunningProcess {
  readonly child: ChildProcess;
  /** What gets the signals: a process, or (negative) a group. It may become known after the start. */
  readonly target: () => number;
  readonly execute: RunningContainer['execute'];
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
  };
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
  let size = 0;
  const add = (line: LogLine) => {
    lines.push(line);
    size += line.text.length;
    while (size > longestLog && lines.length > 1) size -= lines.shift()?.text.length ?? 0;
  };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
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
