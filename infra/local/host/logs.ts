import { createWriteStream, mkdirSync } from 'node:fs';
import type { WriteStream } from 'node:fs';
import path from 'node:path';
import type { LogLevel } from './protocol.ts';

const ORDER: readonly LogLevel[] = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none'];

export interface LogEntry {
  readonly level: LogLevel;
  /** `Function.<name>.User`, `Function.<name>`, `Worker`, `Host.*`. */
  readonly category: string;
  readonly message: string;
  /** The process: `host`, `http-0`, `timer-<name>`. */
  readonly worker: string;
  readonly pid?: number | undefined;
  readonly invocationId?: string | undefined;
}

/**
 * Builds the filter of host.json's `logging.logLevel`: the longest category prefix (at a dot) decides, `default` when none
 * matches, Information when that is not given either.
 */
export function logFilter(logLevel: Readonly<Record<string, string>>): (category: string, level: LogLevel) => boolean {
  const least = new Map(
    Object.entries(logLevel).map(([prefix, level]) => [
      prefix.toLowerCase(),
      ORDER.findIndex((name) => name === level.toLowerCase()),
    ]),
  );
  const fallback = least.get('default') ?? ORDER.indexOf('information');
  return (category, level) => {
    let prefix = category.toLowerCase();
    while (prefix !== '') {
      const found = least.get(prefix);
      if (found !== undefined) return ORDER.indexOf(level) >= found && level !== 'none';
      prefix = prefix.includes('.') ? prefix.slice(0, prefix.lastIndexOf('.')) : '';
    }
    return ORDER.indexOf(level) >= fallback && level !== 'none';
  };
}

/** Writes JSON lines: one file for each worker (`<worker>.jsonl`) and one with everything (`functions.jsonl`). */
export class HostLogs {
  readonly #dir: string;
  readonly #streams = new Map<string, WriteStream>();
  readonly #passes: (category: string, level: LogLevel) => boolean;
  #closed = false;

  constructor(dir: string, logLevel: Readonly<Record<string, string>>) {
    mkdirSync(dir, { recursive: true });
    this.#dir = dir;
    this.#passes = logFilter(logLevel);
  }

  write(entry: LogEntry): void {
    if (this.#closed || !this.#passes(entry.category, entry.level)) return;
    const line = `${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`;
    this.#stream('functions').write(line);
    this.#stream(entry.worker).write(line);
  }

  /** A line of the host itself. */
  host(level: LogLevel, category: string, message: string): void {
    this.write({ level, category: `Host.${category}`, message, worker: 'host' });
  }

  /** Ends all files; what is written later is dropped. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#streams.values()].map((stream) => new Promise((resolve) => stream.end(resolve))));
  }

  #stream(name: string): WriteStream {
    const found = this.#streams.get(name);
    if (found !== undefined) return found;
    const stream = createWriteStream(path.join(this.#dir, `${name}.jsonl`), { flags: 'a' });
    // A full disk or a removed folder must not end the host.
    stream.on('error', () => undefined);
    this.#streams.set(name, stream);
    return stream;
  }
}
