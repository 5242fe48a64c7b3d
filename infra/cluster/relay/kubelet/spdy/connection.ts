import type { ByteTransport } from '../streams/transport.ts';
import { readControlFrame } from './control-frame.ts';
import type { ControlFrame } from './control-frame.ts';
import { FrameReader } from './frame-reader.ts';
import type { RawFrame } from './frame-reader.ts';
import {
  goAwayFrame,
  goAwayStatus,
  initialWindowSetting,
  pingFrame,
  rstStatus,
  rstStreamFrame,
  synReplyFrame,
  windowUpdateFrame,
} from './frames.ts';
import { emptyBlock, readHeaderBlock } from './header-block.ts';
import { HeaderInflater } from './header-inflater.ts';
import { initialWindow, spdyLimits } from './limits.ts';
import { ReceiveWindow, SendWindow } from './send-window.ts';
import { SpdyStream } from './stream.ts';
import type { StreamLink } from './stream.ts';

export interface SpdyOptions {
  /** At once; who opens more is refused it. */
  readonly mostStreams: number;
  /** A new stream. False: it is reset, and its headers were in vain. */
  readonly onStream: (stream: SpdyStream) => boolean;
}

/** Why a connection ended before its time; undefined: the client, or this side, wanted no more. */
export type Violation = string | undefined;

const lingerMs = 2_000;

/**
 * The server's side of SPDY/3.1, as Kubernetes uses it: the client opens streams, each is answered at once. Windows are kept
 * toward a client that speaks of them; Kubernetes' own never does, and is held up by TCP as it holds up others.
 */
export class SpdyConnection {
  readonly #transport: ByteTransport;
  readonly #options: SpdyOptions;
  readonly #reader = new FrameReader();
  readonly #inflater = new HeaderInflater();
  readonly #streams = new Map<number, SpdyStream>();
  readonly #session = new SendWindow();
  readonly #received = new ReceiveWindow();
  #streamWindow = initialWindow;
  #hasWindows = false;
  /** Of the client's. */
  #lastId = 0;
  #hasReplied = false;
  #useless = 0;
  #isOver = false;
  readonly #waiting: (() => void)[] = [];

  constructor(transport: ByteTransport, options: SpdyOptions) {
    this.#transport = transport;
    this.#options = options;
  }

  /** Serves until either side ends it. Never rejects. */
  async run(): Promise<Violation> {
    try {
      for await (const chunk of this.#transport.chunks)
        for (const frame of this.#reader.read(chunk)) {
          if (this.#isOver) return undefined;
          const violation = await this.#handle(frame);
          if (violation === undefined) continue;
          this.close(goAwayStatus.protocolError);
          return violation;
        }
      return undefined;
    } finally {
      this.close();
    }
  }

  /** Says GOAWAY and ends, with all streams. What was written before still arrives. Safe to repeat. */
  close(status: number = goAwayStatus.ok): void {
    if (this.#isOver) return;
    void this.#transport.write(goAwayFrame(this.#lastId, status));
    this.#isOver = true;
    this.#transport.end();
    // A client that goes on reading nothing is not waited for.
    setTimeout(() => this.#transport.destroy(), lingerMs).unref();
    this.#inflater.close();
    for (const stream of this.#streams.values()) stream.cut();
    this.#streams.clear();
    this.#wake();
  }

  async #handle(frame: RawFrame): Promise<Violation> {
    switch (frame.kind) {
      case 'broken':
        return frame.why;
      case 'data':
        return this.#takeData(frame);
      case 'control':
        return this.#takeControl(readControlFrame(frame));
    }
  }

  async #takeData({ streamId, bytes, isLast }: Extract<RawFrame, { kind: 'data' }>): Promise<Violation> {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      this.#credit(0, this.#received.take(bytes.length));
      // What comes after its stream has ended was on its way.
      if (streamId <= this.#lastId && bytes.length > 0) return undefined;
      if (streamId > this.#lastId) await this.#transport.write(rstStreamFrame(streamId, rstStatus.invalidStream));
      return this.#noteUseless();
    }
    if (bytes.length === 0 && !isLast) return this.#noteUseless();
    this.#useless = 0;
    stream.take(bytes, isLast);
    await stream.whenRoom();
    return undefined;
  }

  async #takeControl(frame: ControlFrame): Promise<Violation> {
    switch (frame.kind) {
      case 'broken':
        return frame.why;
      case 'syn-stream':
        return this.#open(frame);
      case 'headers':
      case 'syn-reply':
        // Nobody needs them, but the next headers go on where these end.
        return (await this.#inflater.read(frame.block)) === undefined
          ? 'headers that can not be read'
          : this.#noteUseless();
      case 'rst-stream':
        this.#streams.get(frame.streamId)?.abandon();
        return undefined;
      case 'settings':
        return this.#takeSettings(frame);
      case 'ping':
        // An even one answers a ping of ours, and there are none.
        if (frame.id % 2 === 1) await this.#transport.write(pingFrame(frame.id));
        return undefined;
      case 'window-update':
        return this.#widen(frame);
      case 'go-away':
        return undefined;
      case 'unknown':
        return this.#noteUseless();
    }
  }

  async #open({
    streamId,
    isLast,
    isUnidirectional,
    block,
  }: Extract<ControlFrame, { kind: 'syn-stream' }>): Promise<Violation> {
    const inflated = await this.#inflater.read(block);
    if (inflated === undefined) return 'headers that can not be read';
    if (streamId % 2 === 0 || streamId <= this.#lastId) return `a new stream ${streamId} after ${this.#lastId}`;
    this.#lastId = streamId;
    const headers = readHeaderBlock(inflated);
    if (headers === undefined) return this.#refuse(streamId, rstStatus.protocolError);
    if (this.#streams.size >= this.#options.mostStreams) return this.#refuse(streamId, rstStatus.refusedStream);
    const stream = new SpdyStream(streamId, headers, this.#link, this.#streamWindow);
    this.#streams.set(streamId, stream);
    if (isLast) stream.take(Buffer.alloc(0), true);
    if (!this.#options.onStream(stream)) {
      stream.abandon();
      return this.#refuse(streamId, rstStatus.refusedStream);
    }
    this.#useless = 0;
    // Kubernetes' client opens its next stream when this one is answered.
    const reply = synReplyFrame(streamId, emptyBlock(!this.#hasReplied));
    this.#hasReplied = true;
    const sent = this.#transport.write(reply);
    if (isUnidirectional) stream.closeForWriting();
    await sent;
    return undefined;
  }

  async #refuse(streamId: number, status: number): Promise<Violation> {
    await this.#transport.write(rstStreamFrame(streamId, status));
    return this.#noteUseless();
  }

  #takeSettings({ entries }: Extract<ControlFrame, { kind: 'settings' }>): Violation {
    for (const { id, value } of entries) {
      if (id !== initialWindowSetting) continue;
      const delta = value - this.#streamWindow;
      this.#streamWindow = value;
      this.#hasWindows = true;
      for (const stream of this.#streams.values())
        if (!stream.sendWindow.grow(delta)) return 'a window larger than there can be';
    }
    this.#wake();
    return undefined;
  }

  #widen({ streamId, delta }: Extract<ControlFrame, { kind: 'window-update' }>): Violation {
    this.#hasWindows = true;
    if (delta === 0) return 'a window that grows by nothing';
    if (streamId === 0) {
      if (!this.#session.grow(delta)) return 'a window larger than there can be';
    } else {
      const stream = this.#streams.get(streamId);
      if (stream?.sendWindow.grow(delta) === false) stream.reset(rstStatus.flowControlError);
    }
    this.#wake();
    return undefined;
  }

  #noteUseless(): Violation {
    this.#useless += 1;
    return this.#useless > spdyLimits.uselessFrames ? 'too many frames that nobody needs' : undefined;
  }

  #credit(streamId: number, delta: number): void {
    if (delta > 0 && !this.#isOver) void this.#transport.write(windowUpdateFrame(streamId, delta));
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  readonly #link: StreamLink = {
    send: async (frame) => {
      if (!this.#isOver) await this.#transport.write(frame);
    },
    room: async (stream, wanted) => {
      for (;;) {
        if (this.#isOver || !stream.canWrite) return 0;
        const left = this.#hasWindows ? Math.min(stream.sendWindow.left, this.#session.left) : wanted;
        if (left > 0) {
          const size = Math.min(left, wanted);
          this.#session.sent(size);
          return size;
        }
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#waiting.push(resolve);
        await promise;
      }
    },
    taken: (stream, bytes) => {
      if (this.#streams.has(stream.id)) this.#credit(stream.id, stream.received.take(bytes));
      this.#credit(0, this.#received.take(bytes));
    },
    closed: (stream) => {
      this.#streams.delete(stream.id);
      this.#wake();
    },
  };
}
