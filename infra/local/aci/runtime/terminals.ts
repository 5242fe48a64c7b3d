import type { ChildProcess } from 'node:child_process';
import { PassThrough } from 'node:stream';
import type { Readable, Writable } from 'node:stream';
import type { Terminal, TerminalSize } from './runtime.ts';

/** A program to open a terminal for, in a container that runs. */
export interface TerminalOrder {
  readonly command: readonly string[];
  readonly size: TerminalSize;
  /** The container's end, which is the program's too. */
  readonly ended: Promise<unknown>;
}

/** A terminal that says why there is no program at it, and ends. */
export function failedTerminal(sentence: string): Terminal {
  return { output: shown(`${sentence}\r\n`), type: () => Promise.resolve() };
}

async function* shown(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** A stream's bytes until its end; one that breaks ends there. */
export async function* bytesOf(stream: Readable): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
  } catch {
    // Whoever reads learns that it is over; of a container's end there are better witnesses.
  }
}

/** Writes into a stream and waits until it has taken it; one that has ended takes nothing. */
export function written(stream: Writable, bytes: Uint8Array): Promise<void> {
  if (!stream.writable) return Promise.resolve();
  return new Promise((resolve) => stream.write(bytes, () => resolve()));
}

/** What a child shows on both its streams as it comes, after a sentence of ours. */
export function merged(child: ChildProcess, sentence = ''): PassThrough {
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
