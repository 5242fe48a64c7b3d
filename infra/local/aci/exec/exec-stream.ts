import type { WebSocket } from 'ws';
import type { Clock } from '../clock.ts';
import type { Terminal } from '../runtime/runtime.ts';
import { failedTerminal } from '../runtime/terminals.ts';
import type { ExecEndpoint } from './endpoint.ts';
import { splitCommand } from './knobs.ts';
import { bytesOf } from './messages.ts';
import { send, sendOutput } from './output.ts';

export interface ExecStreamOptions {
  readonly socket: WebSocket;
  /** The session's. */
  readonly id: string;
  readonly endpoint: ExecEndpoint;
  readonly clock: Clock;
  readonly log: (message: string) => void;
}

/** With which codes Azure closes, is inferred. */
const policyViolation = 1008;
const serverError = 1011;

/**
 * One WebSocket of an exec: an empty message from here, the password from there, then a terminal. When it closes, from
 * whichever side, the program goes on.
 */
export class ExecStream {
  readonly #options: ExecStreamOptions;
  /** Typed in order, also what comes before the terminal is there. */
  #typed: Promise<void> = Promise.resolve();
  #terminal: Promise<Terminal> | undefined;

  constructor(options: ExecStreamOptions) {
    this.#options = options;
  }

  begin(): void {
    const { socket, clock, endpoint } = this.#options;
    void send(socket, endpoint.knobs.execFrames === 'text' ? '' : Buffer.alloc(0));
    const cancel = clock.schedule(endpoint.knobs.execSilenceSeconds * 1000, () => {
      if (this.#terminal === undefined) socket.close(policyViolation, 'no password');
    });
    socket.on('close', cancel);
    socket.on('message', (data, isBinary) => {
      if (socket.readyState !== socket.OPEN) return;
      if (this.#terminal !== undefined) return this.#type(bytesOf(data));
      cancel();
      this.#enter(bytesOf(data), isBinary);
    });
  }

  #enter(password: Buffer, isBinary: boolean): void {
    const { socket, endpoint, id, log } = this.#options;
    const order = isBinary ? undefined : endpoint.sessions.enter(id, password.toString());
    if (order?.kind !== 'exec') return socket.close(policyViolation, 'the password is wrong');
    const { group, container, command, size } = order;
    const running = group.life?.running(container);
    const words = splitCommand(command, endpoint.knobs.execSplit);
    const terminal =
      running?.openTerminal(words, size) ?? Promise.resolve(failedTerminal(`container ${container} does not run`));
    this.#terminal = terminal;
    terminal
      .then(({ output }) => sendOutput(socket, output, () => endpoint.knobs))
      .catch((error: unknown) => {
        log(`exec in ${group.name}/${container}: ${error instanceof Error ? error.message : String(error)}`);
        socket.close(serverError);
      });
  }

  #type(bytes: Buffer): void {
    const { socket, endpoint } = this.#options;
    const { execMaxMessageBytes } = endpoint.knobs;
    if (execMaxMessageBytes !== null && bytes.length > execMaxMessageBytes) return;
    const terminal = this.#terminal;
    // Until it is taken no more is read from the client.
    socket.pause();
    this.#typed = this.#typed
      .then(async () => (await terminal)?.type(bytes))
      .catch(() => undefined)
      .then(() => socket.resume());
  }
}
