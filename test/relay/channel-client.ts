import type { WebSocket } from 'ws';

/** A client of channels over a WebSocket, by hand: what came on each, and the ways to say something. */
export class ChannelClient {
  readonly socket: WebSocket;
  readonly isBase64: boolean;
  readonly messages: { readonly channel: number; readonly text: string }[] = [];
  closeCode: number | undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.isBase64 = socket.protocol.includes('base64');
    socket.on('message', (data, isBinary) => {
      const bytes = Buffer.concat(
        [data].flat().map((part) => Buffer.from(part instanceof ArrayBuffer ? new Uint8Array(part) : part)),
      );
      if (isBinary === this.isBase64) throw new Error('binary where text is due, or the other way');
      const channel = (bytes[0] ?? 0) - (this.isBase64 ? 48 : 0);
      const rest = bytes.subarray(1);
      this.messages.push({
        channel,
        text: (this.isBase64 ? Buffer.from(rest.toString(), 'base64') : rest).toString('latin1'),
      });
    });
    socket.on('close', (code) => (this.closeCode = code));
  }

  text(channel: number): string {
    return this.messages
      .filter((message) => message.channel === channel)
      .map(({ text }) => text)
      .join('');
  }

  /** The `v1.Status` at the end. */
  get status(): unknown {
    const text = this.text(3);
    return text === '' ? undefined : JSON.parse(text);
  }

  send(channel: number, bytes: string | Buffer): void {
    const payload = Buffer.from(bytes);
    if (this.isBase64) this.socket.send(`${channel}${payload.toString('base64')}`);
    else this.socket.send(Buffer.concat([Buffer.from([channel]), payload]));
  }

  /** Of the fifth version: nothing follows on a channel. */
  end(channel: number): void {
    this.socket.send(Buffer.from([255, channel]));
  }
}
