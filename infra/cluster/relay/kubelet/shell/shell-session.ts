import type { ByteSink, CommandStreams, Outcome } from '../streams/command-streams.ts';
import { sleep } from '../../sleep.ts';
import { LineEnds } from './line-ends.ts';
import { LineSender, mostLineText } from './line-sender.ts';
import { printfFormats } from './quoting.ts';
import { RecordReader } from './records.ts';
import type { FarRecord } from './records.ts';
import { bootstrapLine, commandScript } from './script.ts';
import type { ShellCommand } from './script.ts';
import { farFailure, noShell, shellSentences } from './sentences.ts';

/** A terminal with a shell in it. */
export interface FarTerminal {
  /** Resolves when the far end was heard for the first time, if only by an empty message, or is gone. */
  readonly heard: Promise<void>;
  send(bytes: Uint8Array): Promise<void>;
  /** What it writes, as soon as there is something; undefined: it has ended. One reader at a time. */
  read(): Promise<Buffer | undefined>;
  close(): void;
}

export interface ShellSessionOptions {
  readonly terminal: FarTerminal;
  readonly command: ShellCommand;
  readonly streams: CommandStreams;
  /** Printable, and guessed by nobody. */
  readonly nonce: string;
  /** Aborts when the client is gone, or the session has to end for another reason. */
  readonly signal: AbortSignal;
  /** How long the shell may take until the command begins. */
  readonly beginMs: number;
}

/** Some shells drop what is typed before they are there; one that says nothing is typed to after a while all the same. */
const silentMs = 1_000;
/** Of what a shell writes before the command begins: the reason, where it does not. */
const keptWords = 2_000;
const endOfInput = Buffer.from([4]);
const mostTyped = 512;
/** Between two pieces that are typed at once. */
const typedEveryMs = 10;

/**
 * Runs a command by typing a script into a shell, and answers how it ended. The client's streams are served meanwhile; they are not ended. Ends
 * with its signal, too. Never rejects.
 */
export function runInShell(options: ShellSessionOptions): Promise<Outcome> {
  return new ShellSession(options).run();
}

class ShellSession {
  readonly #options: ShellSessionOptions;
  readonly #records: RecordReader;
  readonly #lines: LineSender;
  readonly #ends = new LineEnds();
  readonly #output: ByteSink | undefined;
  /** Of a line to stderr, as far as it has come; undefined: what comes is output. */
  #errors: Buffer[] | undefined;
  readonly #over = new AbortController();
  #state: 'typed' | 'loading' | 'running' = 'typed';
  #isRaw = true;
  /** What came before the command began. */
  #words = '';
  #isLate = false;

  constructor(options: ShellSessionOptions) {
    this.#options = options;
    const { terminal, streams, nonce } = options;
    this.#records = new RecordReader(nonce);
    this.#lines = new LineSender((bytes) => terminal.send(bytes));
    // A terminal has no errors of its own.
    this.#output = options.command.tty ? (streams.stdout ?? streams.stderr) : streams.stdout;
  }

  async run(): Promise<Outcome> {
    const { terminal, signal, beginMs } = this.#options;
    const leave = (): void => this.#leave();
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    const timer = setTimeout(() => {
      this.#isLate = this.#state !== 'running';
      if (this.#isLate) terminal.close();
    }, beginMs);
    try {
      await Promise.race([terminal.heard, sleep(silentMs, this.#over.signal)]);
      await terminal.send(Buffer.from(bootstrapLine(this.#options.nonce)));
      return await this.#serve();
    } finally {
      clearTimeout(timer);
      this.#over.abort();
      this.#lines.stop();
      signal.removeEventListener('abort', leave);
    }
  }

  /** Before its end. Nobody knows whether ACI ends what runs then: what reads from nobody learns that nothing follows. */
  #leave(): void {
    const { terminal, command } = this.#options;
    if (this.#state === 'running' && command.tty) void terminal.send(endOfInput);
    else if (this.#state === 'running' && command.hasStdin) void this.#lines.end();
    terminal.close();
  }

  async #serve(): Promise<Outcome> {
    const { terminal } = this.#options;
    for (let bytes = await terminal.read(); bytes !== undefined; bytes = await terminal.read())
      for (const piece of this.#records.read(bytes)) {
        const outcome = piece.kind === 'text' ? await this.#show(piece.bytes) : await this.#take(piece.record);
        if (outcome !== undefined) return outcome;
      }
    if (this.#state === 'running') {
      await this.#show(this.#records.rest());
      await this.#showRest();
      return farFailure(shellSentences.cutOff);
    }
    return noShell(this.#words, this.#isLate);
  }

  async #show(bytes: Buffer): Promise<undefined> {
    if (this.#state !== 'running') {
      this.#words = `${this.#words}${bytes.toString('utf8')}`.slice(0, keptWords);
      return;
    }
    if (this.#errors !== undefined) {
      this.#errors.push(bytes);
      return;
    }
    const isRaw = this.#isRaw || this.#options.command.tty;
    await this.#output?.write(isRaw ? bytes : this.#ends.read(bytes));
  }

  async #endErrors(isLine: boolean): Promise<undefined> {
    const bytes = Buffer.concat([...(this.#errors ?? []), Buffer.from(isLine ? '\n' : '')]);
    this.#errors = undefined;
    await this.#options.streams.stderr?.write(bytes);
  }

  async #showRest(): Promise<void> {
    if (!this.#isRaw && !this.#options.command.tty) await this.#output?.write(this.#ends.rest());
  }

  async #take(record: FarRecord): Promise<Outcome | undefined> {
    const [word = Buffer.alloc(0)] = this.#options.command.words;
    switch (record.kind) {
      case 'ready':
        return this.#load(record.isRaw);
      case 'line':
        this.#lines.acknowledge();
        return undefined;
      case 'begin':
        return this.#begin();
      case 'errors':
        this.#errors = [];
        return undefined;
      case 'output':
        return this.#endErrors(record.isLine);
      case 'fault':
        return farFailure(shellSentences.inputLost);
      case 'not-found':
      case 'no-such-file':
      case 'not-executable':
        return farFailure(shellSentences[record.kind](word.toString('utf8')));
      case 'exit':
        await this.#showRest();
        // Who reads input for the command learns that it has ended.
        if (this.#options.command.hasStdin && !this.#options.command.tty) void this.#lines.end();
        return { kind: 'exited', code: record.code };
    }
  }

  async #load(isRaw: boolean): Promise<Outcome | undefined> {
    if (this.#state !== 'typed') return undefined;
    this.#state = 'loading';
    this.#isRaw = isRaw;
    const { command } = this.#options;
    if (!isRaw && command.hasStdin && !command.tty) {
      await this.#lines.end();
      return farFailure(shellSentences.noInput);
    }
    const script = commandScript(command);
    if (script === undefined) return farFailure(shellSentences.nul);
    void this.#sendScript(script);
    return undefined;
  }

  async #sendScript(script: string): Promise<void> {
    for (let at = 0; at < script.length; at += mostLineText)
      await this.#lines.send(script.slice(at, at + mostLineText));
    await this.#lines.end();
  }

  async #begin(): Promise<undefined> {
    if (this.#state !== 'loading') return;
    this.#state = 'running';
    const { command, streams } = this.#options;
    if (command.tty) void this.#type();
    else void this.#sendInput();
    if (!this.#isRaw && !command.tty) await streams.stderr?.write(Buffer.from(`${shellSentences.cooked}\n`));
  }

  /** To a command without a terminal: as lines that are decoded where it runs, byte by byte. */
  async #sendInput(): Promise<void> {
    const { stdin } = this.#options.streams;
    if (stdin === undefined) return;
    for (let bytes = await stdin.read(); bytes !== undefined; bytes = await stdin.read()) {
      if (this.#over.signal.aborted) return;
      for (const text of printfFormats(bytes, mostLineText)) await this.#lines.send(text);
    }
    if (!this.#over.signal.aborted) await this.#lines.end();
  }

  /** To a terminal: as it comes, in small pieces. */
  async #type(): Promise<void> {
    const { terminal, streams } = this.#options;
    const { stdin } = streams;
    if (stdin === undefined) return;
    for (let bytes = await stdin.read(); bytes !== undefined; bytes = await stdin.read())
      for (let at = 0; at < bytes.length; at += mostTyped) {
        if (at > 0) await sleep(typedEveryMs, this.#over.signal);
        if (this.#over.signal.aborted) return;
        await terminal.send(bytes.subarray(at, at + mostTyped));
      }
    if (!this.#over.signal.aborted) await terminal.send(endOfInput);
  }
}
