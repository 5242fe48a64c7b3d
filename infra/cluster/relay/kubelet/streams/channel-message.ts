import type { ChannelProtocol } from './web-socket-protocols.ts';

/** What a client says by one message. */
export type ChannelMessage =
  | { readonly kind: 'data'; readonly channel: number; readonly bytes: Buffer }
  /** It writes no more to the channel. */
  | { readonly kind: 'close'; readonly channel: number }
  /** Empty, as keep-alives are. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'broken'; readonly why: string };

const closeSignal = 0xff;
const digitZero = 0x30;
const base64Text = /^[A-Za-z0-9+/]*={0,2}$/;

/** Reads a message: the channel's number (in base64 protocols a digit), then what is on it. */
export function readMessage(message: Buffer, { isBase64, hasClose }: ChannelProtocol): ChannelMessage {
  const [first] = message;
  if (first === undefined) return { kind: 'nothing' };
  if (hasClose && first === closeSignal) {
    const channel = message[1];
    return channel === undefined || message.length !== 2
      ? { kind: 'broken', why: 'a close signal without a channel' }
      : { kind: 'close', channel };
  }
  const payload = message.subarray(1);
  if (!isBase64) return { kind: 'data', channel: first, bytes: payload };
  const text = payload.toString('latin1');
  if (!base64Text.test(text)) return { kind: 'broken', why: 'a message that is not base64' };
  return { kind: 'data', channel: first - digitZero, bytes: Buffer.from(text, 'base64') };
}

/** One message to a client. */
export function formatMessage(channel: number, bytes: Uint8Array, { isBase64 }: ChannelProtocol): Buffer | string {
  return isBase64
    ? `${String.fromCharCode(digitZero + channel)}${Buffer.from(bytes).toString('base64')}`
    : Buffer.concat([Buffer.from([channel]), bytes]);
}

/** The pieces that bytes are sent in: none is larger than 32 KiB. */
export function* piecesOf(bytes: Uint8Array, most = 32_768): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += most) yield bytes.subarray(at, at + most);
}
