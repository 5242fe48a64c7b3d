import type { Result } from '../core/fault.ts';

/** An agent's program, as it is handed out. */
export interface Program {
  /** Of the program, 64 hexadecimal digits. */
  readonly sha256: string;
  readonly gzip: Uint8Array;
  /** The program itself: unpacked with the first call, and kept. */
  unpacked(): Promise<Uint8Array>;
}

/** What the app's package has of the agent. Reads files alone; nothing before the first call, and each file once. */
export interface PackagedAgent {
  /** Its hash, of a small file; undefined: the package is without it. */
  sha256(): Promise<string | undefined>;
  /** Some megabytes, from then on in memory. Undefined as above, and where what is there is not what its hash names. */
  read(): Promise<Program | undefined>;
}

/**
 * Agents that this installation has handed out, of every release, by their hash: a group that starts again asks for the
 * one that it was made with. Nothing is ever taken away: there is one for each release of the agent, of a few megabytes.
 * `denied`, `throttled`, `transient` as everywhere; `rejected` with the code `NoBlobStorage` where there is no place.
 */
export interface KeptAgents {
  /** Keeps it, unless it is kept already: one request then, else at most four. */
  put(program: Pick<Program, 'sha256' | 'gzip'>, signal: AbortSignal): Promise<Result<void>>;
  /** One request. Undefined: there is none, or what is there is not what the hash names. */
  get(sha256: string, signal: AbortSignal): Promise<Result<Program | undefined>>;
}
