import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogOptions, RunningContainer } from '../runtime.ts';
import { isAbsent, readBytes } from './client.ts';
import type { EngineClient } from './client.ts';
import type { ContainerInspect, ExitWatcher } from './exits.ts';
import { execute } from './execution.ts';
import { frameText } from './frames.ts';
import { parseLogFile, parseLogStream, renderLog } from './log-text.ts';
import type { LogLine } from './log-text.ts';
import type { EngineKind } from './requests.ts';
import { cgroupUsage } from '../usage/cgroup.ts';
import { followContainer, openEngineTerminal } from './terminal.ts';

export interface ContainerOptions {
  readonly engine: EngineKind;
  readonly client: EngineClient;
  readonly exits: ExitWatcher;
  readonly inspected: ContainerInspect;
}

/** The handle of a container that has been started. */
export function runningContainer(options: ContainerOptions): RunningContainer {
  const { client, exits, inspected } = options;
  const id = inspected.Id;
  const ended = exits.watch(id);
  let over = false;
  void markOver();
  async function markOver() {
    await ended;
    over = true;
  }
  const kill = (name: string) =>
    client.send({ method: 'POST', path: `/containers/${id}/kill?signal=${name}` }, [404, 409, 500]);
  return {
    kind: 'running',
    id,
    startedAt: Date.parse(inspected.State.StartedAt),
    wait: () => ended,
    async stop(graceSeconds) {
      if (over) return;
      // Two signals of our own: during the engine's `stop` Podman answers nothing else about the container.
      if (graceSeconds > 0) {
        await kill('SIGTERM');
        if (await endsWithin(ended, graceSeconds * 1000)) return;
      }
      await kill('SIGKILL');
      await ended;
    },
    async readLogs(logOptions) {
      return renderLog(await readLines(options, logOptions), logOptions);
    },
    execute: (command, timeoutMs) => execute({ client, id, command, timeoutMs }),
    usage: async () => (over ? undefined : cgroupUsage(inspected.State.Pid)),
    openTerminal: (command, size) => openEngineTerminal({ engine: options.engine, client, id }, command, size),
    followOutput: (signal) => followContainer({ client, id, ended, signal }),
  };
}

async function endsWithin(ended: Promise<unknown>, limitMs: number): Promise<boolean> {
  const timer = new AbortController();
  try {
    const limit = sleep(limitMs, false, { signal: timer.signal });
    return await Promise.race([ended.then(() => true), limit]);
  } finally {
    timer.abort();
  }
}

/** ACI keeps 4 MB of a running container's log; the newest part counts. */
const longestLogBytes = 4 * 2 ** 20;

/** Podman's endpoint dates lines to the second only, so its log file is read; Docker's endpoint is exact. */
async function readLines(options: ContainerOptions, logOptions: LogOptions): Promise<LogLine[]> {
  const { LogPath: path } = options.inspected;
  if (options.engine === 'podman' && path !== undefined && path !== '') return parseLogFile(await readEnd(path));
  const tail = logOptions.tail ?? 'all';
  try {
    const answer = await options.client.stream({
      method: 'GET',
      path: `/containers/${options.inspected.Id}/logs?stdout=1&stderr=1&timestamps=1&tail=${tail}`,
    });
    return parseLogStream(frameText(await readBytes(answer)));
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

async function readEnd(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    const length = Math.min(size, longestLogBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    // Before the first line and after the removal there is no file.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}
