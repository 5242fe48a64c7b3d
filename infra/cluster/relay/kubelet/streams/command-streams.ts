import type { TerminalSize } from '../../../../../shared/core/streams/stream-session.ts';

/** What the client asked for in the query of an exec or attach. */
export interface StreamOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** How a command, or the watching of one, ended. */
export type Outcome =
  | { readonly kind: 'exited'; readonly code: number }
  /** It could not be run, or nobody knows how it ended. */
  | { readonly kind: 'failed'; readonly message: string };

export interface ByteSource {
  /** What there is, as soon as there is something; undefined: nothing follows. One reader at a time. */
  read(): Promise<Buffer | undefined>;
}

export interface ByteSink {
  /** Resolves when the client takes more, or is gone. One writer at a time. */
  write(bytes: Uint8Array): Promise<void>;
}

/** A client's end of an exec or attach, whichever wire it came over. */
export interface CommandStreams {
  /** Undefined: not asked for. */
  readonly stdin: ByteSource | undefined;
  readonly stdout: ByteSink | undefined;
  readonly stderr: ByteSink | undefined;
  /** The size of the client's window each time that it changes, the first at once; undefined: none follows. */
  nextSize(): Promise<TerminalSize | undefined>;
  /** Aborts when the client is gone. */
  readonly gone: AbortSignal;
  /** Reports how it ended, and ends all streams after what was written to them. */
  finish(outcome: Outcome): Promise<void>;
  /** Cuts the client off. */
  destroy(): void;
}
