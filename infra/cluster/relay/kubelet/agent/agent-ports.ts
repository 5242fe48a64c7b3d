import { frameTags, parseNumber } from '../../../../../shared/core/streams/agent-frames.ts';
import type { Frame, FrameTag } from '../../../../../shared/core/streams/agent-frames.ts';
import {
  formatPortOpening,
  formatPortPayload,
  parsePortPayload,
} from '../../../../../shared/core/streams/port-frames.ts';
import { parseAgentFault } from '../../../../../shared/wire/agent-session.ts';
import type { PortStream } from '../streams/port-connection.ts';
import { PortConnection } from './agent-connection.ts';
import { describeEnd } from './agent-wire.ts';
import type { AgentWire } from './agent-wire.ts';

/** What clients have not taken yet, of all connections of a session: beyond it nothing more is read for any of them. */
const mostHeld = 4 * 1024 * 1024;

/** Connections to ports of a group, all of them over one session with an agent in it. */
export class AgentPorts {
  readonly #wire: AgentWire;
  readonly #touch: () => void;
  readonly #open = new Map<number, PortConnection>();
  #nextId = 1;
  #held = 0;
  #wake: (() => void) | undefined;
  #end: string | undefined;

  /** `touch`: something was said. */
  constructor(wire: AgentWire, touch: () => void) {
    this.#wire = wire;
    this.#touch = touch;
  }

  /** Reads what the agent says, until the session has ended; then all connections have, too. Never rejects. */
  async run(): Promise<void> {
    for (let frame = await this.#wire.next(); frame !== undefined; frame = await this.#wire.next()) {
      if (!this.#take(frame)) break;
      await this.#whenRoom();
    }
    const { end } = this.#wire;
    this.#end ??= end === 'closed' ? 'the connection to the container ended' : describeEnd(end);
    this.#wire.close();
    for (const connection of this.#open.values()) connection.end(this.#end);
  }

  /** Forwards one connection, until both sides have ended it; answers why it failed. Never rejects. */
  async forward(port: number, stream: PortStream): Promise<string | undefined> {
    if (this.#end !== undefined) return this.#end;
    const id = this.#nextId;
    this.#nextId += 1;
    const connection = new PortConnection({
      stream,
      say: (tag, payload) => this.#say(tag, id, payload),
      hold: (bytes) => this.#hold(bytes),
    });
    this.#open.set(id, connection);
    await this.#wire.send(frameTags.open, formatPortOpening(id, port));
    const fault = await connection.run();
    this.#open.delete(id);
    return fault;
  }

  #say(tag: FrameTag, id: number, payload?: Uint8Array): Promise<void> {
    this.#touch();
    return this.#wire.send(tag, formatPortPayload(id, payload));
  }

  #hold(bytes: number): void {
    this.#held += bytes;
    if (this.#held < mostHeld) this.#wake?.();
  }

  async #whenRoom(): Promise<void> {
    while (this.#held >= mostHeld && this.#end === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  /** False: nothing more can be taken. */
  #take({ tag, payload }: Frame): boolean {
    this.#touch();
    if (tag === frameTags.fault) {
      this.#end = parseAgentFault(payload)?.message ?? describeEnd('broken');
      return false;
    }
    const read = parsePortPayload(payload);
    if (read === undefined || !this.#pass(tag, read.id, read.payload)) {
      this.#end ??= describeEnd('broken');
      return false;
    }
    return true;
  }

  #pass(tag: FrameTag, id: number, payload: Uint8Array): boolean {
    // One that has ended here, which the agent did not know yet, has no use for it.
    const connection = this.#open.get(id);
    switch (tag) {
      case frameTags.data:
        return connection?.receive(payload) ?? true;
      case frameTags.end:
        connection?.receiveEnd();
        return true;
      case frameTags.exit:
        connection?.end(Buffer.from(payload).toString('utf8'));
        return true;
      case frameTags.credit: {
        const bytes = parseNumber(payload);
        if (bytes !== undefined) connection?.grant(bytes);
        return bytes !== undefined;
      }
      default:
        return false;
    }
  }
}
