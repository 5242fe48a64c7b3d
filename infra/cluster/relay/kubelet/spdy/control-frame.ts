import { frameTypes } from './frames.ts';
import type { RawFrame } from './frame-reader.ts';

/** A control frame by its meaning. */
export type ControlFrame =
  /** `block`: compressed headers, which must be inflated in the order of the frames, wanted or not. */
  | {
      readonly kind: 'syn-stream';
      readonly streamId: number;
      readonly isLast: boolean;
      /** The client wants no answer on it. */
      readonly isUnidirectional: boolean;
      readonly block: Buffer;
    }
  | { readonly kind: 'headers'; readonly streamId: number; readonly isLast: boolean; readonly block: Buffer }
  | { readonly kind: 'syn-reply'; readonly streamId: number; readonly block: Buffer }
  | { readonly kind: 'rst-stream'; readonly streamId: number }
  | { readonly kind: 'settings'; readonly entries: readonly { readonly id: number; readonly value: number }[] }
  | { readonly kind: 'ping'; readonly id: number }
  | { readonly kind: 'go-away' }
  /** `streamId` 0: of the whole connection. */
  | { readonly kind: 'window-update'; readonly streamId: number; readonly delta: number }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'broken'; readonly why: string };

const spdyVersion = 3;
const id = (payload: Buffer, at = 0): number => payload.readUInt32BE(at) & 0x7f_ff_ff_ff;
const broken = (why: string): ControlFrame => ({ kind: 'broken', why });

/** How long the payload of a kind is: at least, or to the byte. */
const lengths: Readonly<Record<number, { readonly least: number; readonly isExact: boolean; readonly name: string }>> =
  {
    [frameTypes.synStream]: { least: 10, isExact: false, name: 'SYN_STREAM' },
    [frameTypes.synReply]: { least: 4, isExact: false, name: 'SYN_REPLY' },
    [frameTypes.rstStream]: { least: 8, isExact: true, name: 'RST_STREAM' },
    [frameTypes.settings]: { least: 4, isExact: false, name: 'SETTINGS' },
    [frameTypes.ping]: { least: 4, isExact: true, name: 'PING' },
    [frameTypes.goAway]: { least: 8, isExact: true, name: 'GOAWAY' },
    [frameTypes.headers]: { least: 4, isExact: false, name: 'HEADERS' },
    [frameTypes.windowUpdate]: { least: 8, isExact: true, name: 'WINDOW_UPDATE' },
  };

/** Reads a control frame. Kinds that SPDY/3.1 does not have are `unknown`, and to be passed over. */
export function readControlFrame({
  version,
  type,
  flags,
  payload,
}: Extract<RawFrame, { kind: 'control' }>): ControlFrame {
  if (version !== spdyVersion) return broken(`a frame of version ${version}`);
  const length = lengths[type];
  if (length === undefined) return { kind: 'unknown' };
  const { least, isExact, name } = length;
  if (payload.length < least || (isExact && payload.length !== least))
    return broken(`${name} of ${payload.length} bytes`);
  const isLast = (flags & 1) === 1;
  switch (type) {
    case frameTypes.synStream: {
      const isUnidirectional = (flags & 2) === 2;
      return { kind: 'syn-stream', streamId: id(payload), isLast, isUnidirectional, block: payload.subarray(10) };
    }
    case frameTypes.headers:
      return { kind: 'headers', streamId: id(payload), isLast, block: payload.subarray(4) };
    case frameTypes.synReply:
      return { kind: 'syn-reply', streamId: id(payload), block: payload.subarray(4) };
    case frameTypes.rstStream:
      return { kind: 'rst-stream', streamId: id(payload) };
    case frameTypes.settings:
      return readSettings(payload);
    case frameTypes.ping:
      return { kind: 'ping', id: payload.readUInt32BE(0) };
    case frameTypes.goAway:
      return { kind: 'go-away' };
    default:
      return { kind: 'window-update', streamId: id(payload), delta: id(payload, 4) };
  }
}

const entryBytes = 8;

function readSettings(payload: Buffer): ControlFrame {
  const count = payload.readUInt32BE(0);
  if (payload.length !== 4 + entryBytes * count)
    return broken(`SETTINGS of ${count} entries in ${payload.length} bytes`);
  const entries = Array.from({ length: count }, (_, index) => ({
    id: payload.readUIntBE(4 + entryBytes * index + 1, 3),
    value: payload.readUInt32BE(4 + entryBytes * index + 4),
  }));
  return { kind: 'settings', entries };
}
