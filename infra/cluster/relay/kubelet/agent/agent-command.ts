import { formatWindow, frameTags, mostPayload, parseNumber } from '../../../../../shared/core/streams/agent-frames.ts';
import type { Frame } from '../../../../../shared/core/streams/agent-frames.ts';
import type { TerminalSize } from '../../../../../shared/core/streams/stream-session.ts';
import { parseAgentExit, parseAgentFault } from '../../../../../shared/wire/agent-session.ts';
import type { ByteSink, CommandStreams } from '../streams/command-streams.ts';
import { AgentWire, describeEnd, keepAliveSeconds } from './agent-wire.ts';
import type { WireOptions } from './agent-wire.ts';
import { Credit } from './credit.ts';

export interface AgentCommandOptions extends Omit<WireOptions, 'request'> {
  /** Undefined: the container's own input and output are wanted. */
  readonly argv: readonly string[] | undefined;
  readonly tty: boolean;
  readonly size: TerminalSize;
  readonly hasStdin: boolean;
  readonly streams: CommandStreams;
  /** Guessed by nobody. */
  readonly nonce: string;
}

export type AgentEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'failed'; readonly why: string }
  /** There is no agent at the far end; nothing has happened. */
  | { readonly kind: 'absent' };

/** A terminal that was left. */
const endOfInput = Uint8Array.of(4);

/**
 * Runs a command by the agent of its container, or attaches to the container's program, and answers how it ended. The client's streams are
 * served meanwhile; they are not ended. Ends with its signal, too. Never rejects.
 */
export async function runByAgent(options: AgentCommandOptions): Promise<AgentEnd> {
  const { argv, nonce, tty, size, hasStdin: stdin, presenceMs } = options;
  const common = { nonce, stdin, tty, size, keepAliveSeconds: keepAliveSeconds(presenceMs) };
  const request =
    argv === undefined ? ({ kind: 'attach', ...common } as const) : ({ kind: 'command', argv, ...common } as const);
  const opened = await AgentWire.open({ ...options, request });
  return opened.kind === 'begun' ? new AgentCommand(options, opened.wire).run() : opened;
}

class AgentCommand {
  readonly #options: AgentCommandOptions;
  readonly #wire: AgentWire;
  readonly #output: ByteSink | undefined;
  readonly #credit: Credit;

  constructor(options: AgentCommandOptions, wire: AgentWire) {
    const { streams, tty } = options;
    this.#options = options;
    this.#wire = wire;
    this.#credit = new Credit(wire.window);
    // A terminal has no errors of its own.
    this.#output = tty ? (streams.stdout ?? streams.stderr) : streams.stdout;
  }

  async run(): Promise<AgentEnd> {
    if (this.#options.hasStdin) void this.#sendInput();
    if (this.#options.tty) void this.#followSize();
    try {
      for (let frame = await this.#wire.next(); frame !== undefined; frame = await this.#wire.next()) {
        const end = await this.#take(frame);
        if (end !== undefined) return end;
      }
      return { kind: 'failed', why: describeEnd(this.#wire.end) };
    } finally {
      this.#credit.close();
      this.#wire.close();
    }
  }

  async #take({ tag, payload }: Frame): Promise<AgentEnd | undefined> {
    switch (tag) {
      case frameTags.output:
        await this.#output?.write(payload);
        return undefined;
      case frameTags.errors:
        await this.#options.streams.stderr?.write(payload);
        return undefined;
      case frameTags.credit:
        return this.#grant(parseNumber(payload));
      case frameTags.exit: {
        const exit = parseAgentExit(payload);
        return exit === undefined ? this.#break() : { kind: 'exited', code: exit.exitCode };
      }
      case frameTags.fault: {
        const fault = parseAgentFault(payload);
        return fault === undefined ? this.#break() : { kind: 'failed', why: fault.message };
      }
      default:
        return this.#break();
    }
  }

  #break(): AgentEnd {
    this.#wire.break();
    return { kind: 'failed', why: describeEnd('broken') };
  }

  #grant(bytes: number | undefined): AgentEnd | undefined {
    if (bytes === undefined) return this.#break();
    this.#credit.grant(bytes);
    return undefined;
  }

  async #sendInput(): Promise<void> {
    const { tty, argv, streams } = this.#options;
    const { stdin } = streams;
    if (stdin === undefined) return;
    for (let bytes = await stdin.read(); bytes !== undefined; bytes = await stdin.read())
      if (!(await this.#sendAll(bytes))) return;
    if (this.#credit.isClosed) return;
    // A command at a terminal learns it as one who types would say it. The program of a container is left alone.
    if (tty && argv !== undefined) await this.#sendAll(endOfInput);
    else await this.#wire.send(frameTags.end);
  }

  /** False: nobody wants it any more. */
  #sendAll(bytes: Uint8Array): Promise<boolean> {
    return this.#credit.spend(bytes, mostPayload, (piece) => this.#wire.send(frameTags.input, piece));
  }

  async #followSize(): Promise<void> {
    const { streams } = this.#options;
    for (let size = await streams.nextSize(); size !== undefined; size = await streams.nextSize()) {
      if (this.#credit.isClosed) return;
      await this.#wire.send(frameTags.window, formatWindow(size));
    }
  }
}
