import { FrameReader, FrameWriter, frameTags } from '../../../../../shared/core/streams/agent-frames.ts';
import type { Frame, FrameTag } from '../../../../../shared/core/streams/agent-frames.ts';
import { HelloReader } from '../../../../../shared/core/streams/agent-hello.ts';
import {
  formatAgentRequest,
  isBegun,
  parseAgentFault,
  parseAgentHello,
} from '../../../../../shared/wire/agent-session.ts';
import type { AgentRequest } from '../../../../../shared/wire/agent-session.ts';
import type { FarTerminal } from '../shell/shell-session.ts';

export interface WireOptions {
  readonly terminal: FarTerminal;
  readonly request: AgentRequest;
  /** Aborts when the client is gone, or the session has to end for another reason. */
  readonly signal: AbortSignal;
  /** How long it may take until what was asked for has begun. */
  readonly beginMs: number;
  /** How often each side says that it is there. */
  readonly presenceMs: number;
}

/** After so many of them that did not come a side has gone. */
const mostMissed = 3;

/** After which the agent ends what it does for a caller who says nothing. */
export const keepAliveSeconds = (presenceMs: number): number => Math.ceil((presenceMs * mostMissed) / 1000);

export type OpenedWire =
  | { readonly kind: 'begun'; readonly wire: AgentWire }
  /** What ran instead of the agent ended, or is none: nothing was asked of it. */
  | { readonly kind: 'absent' }
  /** In the words of the agent, or of this side. */
  | { readonly kind: 'failed'; readonly why: string };

/** Why no frame follows. */
export type WireEnd = 'closed' | 'broken' | 'silent';

const endings: Readonly<Record<WireEnd, string>> = {
  closed: 'the connection to the container ended before its command did; nobody knows its exit code',
  broken: 'a part of what passed between the container and this node was lost or changed, so the session was ended',
  silent: 'the agent of the container says nothing any more, so the session was ended',
};

/** Half a sentence about an end; what a client reads. */
export const describeEnd = (end: WireEnd): string => endings[end];

/** Both directions of a session with the agent, after its hello: frames that are counted and checked. */
export class AgentWire {
  readonly #options: WireOptions;
  readonly #writer = new FrameWriter();
  readonly #reader = new FrameReader();
  #frames: readonly Frame[] = [];
  #at = 0;
  #end: WireEnd | undefined;
  /** Behind the frames that are still to be taken. */
  #isBroken = false;
  #presence: NodeJS.Timeout | undefined;
  #isAsking = false;
  /** How much input may be on its way to a command at first, in bytes. */
  readonly window: number;

  private constructor(options: WireOptions, window: number) {
    this.#options = options;
    this.window = window;
    options.signal.addEventListener('abort', this.#leave, { once: true });
  }

  /** Waits for the hello, asks, and waits until what was asked for has begun. Never rejects; closes the terminal but where it has begun. */
  static async open(options: WireOptions): Promise<OpenedWire> {
    const { terminal, signal, beginMs } = options;
    let isLate = false;
    const close = (): void => terminal.close();
    const timer = setTimeout(() => {
      isLate = true;
      close();
    }, beginMs);
    signal.addEventListener('abort', close, { once: true });
    if (signal.aborted) close();
    const opened = await greet(options, (window) => new AgentWire(options, window));
    clearTimeout(timer);
    signal.removeEventListener('abort', close);
    if (opened.kind === 'begun') return opened;
    close();
    if (isLate) return { kind: 'failed', why: 'the agent of the container did not answer in time' };
    return signal.aborted ? { kind: 'failed', why: describeEnd('closed') } : opened;
  }

  /** Resolves when the socket has taken it, or is closed. In the order of the calls. */
  send(tag: FrameTag, payload?: Uint8Array): Promise<void> {
    return this.#options.terminal.send(this.#writer.frame(tag, payload));
  }

  /** The next frame but those of presence; undefined: none follows. What is not taken holds up the agent. */
  async next(): Promise<Frame | undefined> {
    for (;;) {
      const frame = this.#frames[this.#at];
      this.#at += 1;
      if (frame !== undefined && frame.tag !== frameTags.presence) return frame;
      if (frame === undefined && !(await this.#receive())) return undefined;
    }
  }

  /** Why there is none. */
  get end(): WireEnd {
    return this.#end ?? 'closed';
  }

  /** What came behind the hello. */
  begin(rest: Uint8Array): void {
    this.#take(rest);
    this.#presence = setInterval(() => void this.#sayPresence(), this.#options.presenceMs);
  }

  /** A frame that may not be there, or not so. */
  break(): void {
    this.#end ??= 'broken';
    this.close();
  }

  /** Safe to repeat. */
  close(): void {
    clearInterval(this.#presence);
    this.#options.signal.removeEventListener('abort', this.#leave);
    this.#options.terminal.close();
  }

  /** Nobody knows whether ACI ends what runs when a session does: the agent ends it at a frame that no caller has. */
  readonly #leave = (): void => {
    this.#end ??= 'closed';
    void this.send(frameTags.exit);
    this.close();
  };

  async #sayPresence(): Promise<void> {
    // One is enough while the socket takes nothing.
    if (this.#isAsking) return;
    this.#isAsking = true;
    await this.send(frameTags.presence);
    this.#isAsking = false;
  }

  /** Until there is a frame; false: there will be none. */
  async #receive(): Promise<boolean> {
    // Only while it is listened to: who holds up the agent can't expect it to speak.
    const timer = setTimeout(
      () => {
        this.#end ??= this.#reader.isAtBorder ? 'silent' : 'broken';
        this.close();
      },
      this.#options.presenceMs * (mostMissed + 1),
    );
    do await this.#read();
    while (this.#frames.length === 0 && this.#end === undefined);
    clearTimeout(timer);
    return this.#frames.length > 0;
  }

  async #read(): Promise<void> {
    this.#frames = [];
    this.#at = 0;
    if (this.#isBroken) this.#end ??= 'broken';
    if (this.#end !== undefined) return;
    const bytes = await this.#options.terminal.read();
    if (bytes === undefined) this.#end ??= this.#reader.isAtBorder ? 'closed' : 'broken';
    else this.#take(bytes);
  }

  #take(bytes: Uint8Array): void {
    const { frames, isBroken } = this.#reader.read(bytes);
    this.#frames = frames;
    this.#at = 0;
    this.#isBroken = isBroken;
  }
}

async function greet({ terminal, request }: WireOptions, connect: (window: number) => AgentWire): Promise<OpenedWire> {
  const reader = new HelloReader();
  const line = formatAgentRequest(request);
  if (line === undefined) return { kind: 'failed', why: 'argument list too long' };
  for (let bytes = await terminal.read(); bytes !== undefined; bytes = await terminal.read()) {
    const read = reader.read(bytes);
    if (read.kind === 'none') return { kind: 'absent' };
    if (read.kind === 'waiting') continue;
    const hello = parseAgentHello(read.json);
    if (hello === undefined)
      return { kind: 'failed', why: 'the agent of the container is of a version that this node does not speak to' };
    void terminal.send(line);
    const wire = connect(hello.window);
    wire.begin(read.rest);
    return awaitBeginning(wire, request.nonce);
  }
  return { kind: 'absent' };
}

async function awaitBeginning(wire: AgentWire, nonce: string): Promise<OpenedWire> {
  const first = await wire.next();
  if (first?.tag === frameTags.begun && isBegun(first.payload, nonce)) return { kind: 'begun', wire };
  const fault = first?.tag === frameTags.fault ? parseAgentFault(first.payload) : undefined;
  if (first !== undefined && fault === undefined) wire.break();
  const why = fault?.message ?? describeEnd(wire.end);
  wire.close();
  return { kind: 'failed', why };
}
