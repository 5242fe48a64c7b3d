import type { TerminalSize } from '../../../../../shared/core/streams/stream-session.ts';
import { argvOf } from '../../../../../shared/wire/agent-session.ts';
import type { OfferedFarEnd } from '../../../../../shared/wire/relay-protocol/far-ends.ts';
import type { SessionSocket } from '../aci/session-socket.ts';
import { runByAgent } from '../agent/agent-command.ts';
import type { KubeletContext, KubeletHandler } from '../call.ts';
import { firstSize } from '../first-size.ts';
import { newNonce } from '../nonce.ts';
import { openSession } from '../open-session.ts';
import type { OpenedSession } from '../open-session.ts';
import { serveCommand } from '../serve-command.ts';
import type { Command } from '../serve-command.ts';
import { farFailure } from '../shell/sentences.ts';
import { runInShell } from '../shell/shell-session.ts';
import { streamTimes } from '../stream-times.ts';
import type { Outcome } from '../streams/command-streams.ts';

/** `/exec/{namespace}/{pod}[/{uid}]/{container}`: `kubectl exec` and `cp`, over a session of ACI's. */
export const exec: KubeletHandler = (context, call) =>
  serveCommand(context, call, {
    kind: 'exec',
    run: async (given, command) => new Exec(given, command, await firstSize(given, command)).run(),
    whenOver: farFailure('the container has ended, or its pod is gone'),
  });

class Exec {
  readonly #context: KubeletContext;
  readonly #command: Command;
  readonly #size: TerminalSize;

  constructor(context: KubeletContext, command: Command, size: TerminalSize) {
    this.#context = context;
    this.#command = command;
    this.#size = size;
  }

  async run(): Promise<Outcome> {
    const argv = argvOf(this.#command.words);
    // What JSON can't say is typed into the shell, as where there is no agent.
    const opened = await this.#open(argv === undefined ? [] : ['agent']);
    if (!opened.ok) return farFailure(opened.message);
    if (opened.farEnd !== 'agent' || argv === undefined) return this.#type(opened.socket);
    return this.#hand(opened.socket, argv);
  }

  #open(farEnds: readonly OfferedFarEnd[]): Promise<OpenedSession> {
    const { target, signal } = this.#command;
    return openSession(this.#context, target, { kind: 'exec', terminalSize: this.#size, farEnds, signal });
  }

  async #hand(terminal: SessionSocket, argv: readonly string[]): Promise<Outcome> {
    const { options, streams, signal } = this.#command;
    const { beginMs, presenceMs } = streamTimes(this.#context);
    const ended = await runByAgent({
      terminal,
      argv,
      tty: options.tty,
      hasStdin: options.stdin,
      size: this.#size,
      streams,
      signal,
      nonce: newNonce(),
      beginMs,
      presenceMs,
    });
    if (ended.kind === 'exited') return ended;
    if (ended.kind === 'failed') return farFailure(ended.why);
    // The group has the agent, and this container does not.
    const again = await this.#open([]);
    return again.ok ? this.#type(again.socket) : farFailure(again.message);
  }

  async #type(terminal: SessionSocket): Promise<Outcome> {
    const { words, options, streams, signal } = this.#command;
    try {
      return await runInShell({
        terminal,
        command: { words, tty: options.tty, hasStdin: options.stdin, size: this.#size },
        streams,
        signal,
        nonce: newNonce(),
        beginMs: streamTimes(this.#context).beginMs,
      });
    } finally {
      terminal.close();
    }
  }
}
