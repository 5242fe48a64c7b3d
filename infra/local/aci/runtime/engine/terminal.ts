import type { Duplex } from 'node:stream';
import { z } from 'zod';
import type { Terminal, TerminalSize } from '../runtime.ts';
import { bytesOf, failedTerminal, written } from '../terminals.ts';
import { EngineError } from './client.ts';
import type { EngineClient } from './client.ts';
import { decodeFrames } from './frames.ts';
import type { EngineKind } from './requests.ts';
import { openByRuntime } from './runtime-exec.ts';

export interface EngineContainer {
  readonly engine: EngineKind;
  readonly client: EngineClient;
  readonly id: string;
}

const created = z.object({ Id: z.string() });

/** Runs a command in a running container at a terminal. The engine's own sentence is what a failed one shows. */
export async function openEngineTerminal(
  { engine, client, id }: EngineContainer,
  command: readonly string[],
  size: TerminalSize,
): Promise<Terminal> {
  const { rows, columns } = size;
  const everything = { AttachStdin: true, AttachStdout: true, AttachStderr: true };
  try {
    const opened = engine === 'podman' ? await openByRuntime({ client, id }, command, size) : undefined;
    if (opened !== undefined) return opened;
    const { Id: execution } = await client.json(created, {
      method: 'POST',
      path: `/containers/${id}/exec`,
      body: { Cmd: command, Tty: true, Env: ['TERM=xterm'], ...everything },
    });
    // Podman takes the size along with the start; Docker, in this version of its API, a moment later only.
    const connection = await client.hijack({
      method: 'POST',
      path: `/exec/${execution}/start`,
      body: { Detach: false, Tty: true, h: rows, w: columns },
    });
    connection.on('error', () => undefined);
    const resize = { method: 'POST', path: `/exec/${execution}/resize?h=${rows}&w=${columns}` } as const;
    if (engine === 'docker') await client.send(resize, [404, 409, 500]);
    return { output: bytesOf(connection), type: (bytes) => written(connection, bytes) };
  } catch (error) {
    if (error instanceof EngineError) return failedTerminal(error.message);
    throw error;
  }
}

export interface FollowOptions extends Pick<EngineContainer, 'client' | 'id'> {
  /** The container's end. */
  readonly ended: Promise<unknown>;
  readonly signal: AbortSignal;
}

/** What an ended container wrote last comes within this time. Podman does not always end what follows it. */
const lastMs = 1000;

/** Both streams of a container that runs, from now on, until it ends or `signal` aborts. */
export async function followContainer({
  client,
  id,
  ended,
  signal,
}: FollowOptions): Promise<AsyncIterable<Uint8Array>> {
  const over = new AbortController();
  const end = (): void => over.abort();
  signal.addEventListener('abort', end, { once: true });
  void ended.then(() => setTimeout(end, lastMs).unref());
  try {
    const connection = await client.hijack({
      method: 'POST',
      path: `/containers/${id}/attach?stream=1&stdout=1&stderr=1`,
      signal: over.signal,
    });
    connection.on('error', () => undefined);
    over.signal.addEventListener('abort', () => connection.destroy());
    return payloadsOf(connection);
  } catch (error) {
    if (error instanceof EngineError || over.signal.aborted) return payloadsOf(undefined);
    throw error;
  }
}

async function* payloadsOf(connection: Duplex | undefined): AsyncGenerator<Uint8Array> {
  if (connection === undefined) return;
  let pending = Buffer.alloc(0);
  for await (const bytes of bytesOf(connection)) {
    const { frames, rest } = decodeFrames(Buffer.concat([pending, bytes]));
    pending = Buffer.from(rest);
    for (const { payload } of frames) yield payload;
  }
}
