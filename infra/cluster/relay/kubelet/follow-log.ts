import type { ServerResponse } from 'node:http';
import { linesAfter } from '../../../../shared/core/logs/log-cursor.ts';
import type { LogCursor } from '../../../../shared/core/logs/log-cursor.ts';
import { limitToBytes, stripTimestamps } from '../../../../shared/core/logs/log-line.ts';
import type { LogOptions } from '../../../../shared/core/logs/log-query.ts';
import type { LogTarget } from '../../../../shared/wire/relay-protocol/paths.ts';
import { sleep } from '../sleep.ts';
import { readAppLog } from './app-log.ts';
import { writeAll } from './call.ts';
import type { KubeletContext } from './call.ts';
import { isOver } from './container-instance.ts';
import { findPod } from './find-pod.ts';

/** A log that is being followed. */
export interface FollowedLog {
  readonly target: LogTarget;
  /** Of the run that is followed. */
  readonly restartCount: number;
  readonly options: LogOptions;
  /** What was there when it began, and where that ended. */
  readonly first: string;
  readonly cursor: LogCursor;
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
}

const defaultPollMs = 2000;
const maxPollMs = 10_000;
const attemptsAfterEnd = 3;

/**
 * Asks the app every 2 s for what is new, until the container's run has ended and its log was read once more after that,
 * the client is gone, or `limitBytes` are through. While the app or Azure does not answer the client waits.
 */
export async function followLog(context: KubeletContext, followed: FollowedLog): Promise<void> {
  const { response, options, signal, first, target } = followed;
  const pollMs = context.followEveryMs ?? defaultPollMs;
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  const writer = new LimitedWriter(response, options, signal);
  await writer.write(first);
  let cursor = detached(followed.cursor);
  let faults = 0;
  let delayMs = pollMs;
  while (!signal.aborted && !writer.isFull) {
    await sleep(delayMs, signal);
    const hasEnded = await isRunOver(context, followed);
    if (signal.aborted) return;
    const log = readAppLog(await context.app.getLogs(target, signal), target.pod, target.container);
    if (log.kind === 'content') {
      faults = 0;
      delayMs = pollMs;
      const lines = linesAfter(log.content, cursor, { isFinal: hasEnded });
      cursor = lines.text === '' ? cursor : detached(lines.cursor);
      await writer.write(options.timestamps ? lines.text : stripTimestamps(lines.text));
      if (hasEnded) break;
    } else {
      faults += 1;
      delayMs = Math.max(log.retryAfterMs ?? 0, Math.min(maxPollMs, pollMs * 2 ** Math.min(faults, 8)));
      if (!log.isPassing || (hasEnded && faults >= attemptsAfterEnd)) break;
    }
  }
  response.end();
}

/** A slice of a text keeps the whole of it in memory: here megabytes for each follower. */
const detached = (cursor: LogCursor): LogCursor => ({
  ...cursor,
  tail: Buffer.from(cursor.tail, 'utf16le').toString('utf16le'),
});

/** The pod is read before its log, so that what was written before the end is in it. A fault is no end. */
async function isRunOver(context: KubeletContext, { target, restartCount, signal }: FollowedLog): Promise<boolean> {
  const { node, namespace, pod: name, uid, container } = target;
  const found = await findPod(context.client, { node, namespace, name }, signal);
  return found.ok && isOver(found.value, { uid, container, restartCount });
}

/** Counts the bytes of the whole answer against `limitBytes`. */
class LimitedWriter {
  readonly #response: ServerResponse;
  readonly #signal: AbortSignal;
  #left: number;

  constructor(response: ServerResponse, { limitBytes }: LogOptions, signal: AbortSignal) {
    this.#response = response;
    this.#signal = signal;
    this.#left = limitBytes ?? Infinity;
  }

  get isFull(): boolean {
    return this.#left <= 0;
  }

  async write(text: string): Promise<void> {
    const size = Buffer.byteLength(text);
    const cut = size > this.#left ? limitToBytes(text, this.#left) : text;
    // What does not fit whole ends the answer, also when a character falls on the limit.
    this.#left = size > this.#left ? 0 : this.#left - size;
    await writeAll(this.#response, cut, this.#signal);
  }
}
