/** The frames of SPDY/3.1, as they are on the wire. */
export const frameTypes = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

export const rstStatus = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  unsupportedVersion: 4,
  cancel: 5,
  internalError: 6,
  flowControlError: 7,
  streamInUse: 8,
  streamAlreadyClosed: 9,
  frameTooLarge: 11,
} as const;

export const goAwayStatus = { ok: 0, protocolError: 1, internalError: 2 } as const;

/** Of a SETTINGS frame: how large the windows of streams are to begin with. */
export const initialWindowSetting = 7;

const control = 0x80_00;
const version = 3;
const fin = 1;

/** A control frame's first eight bytes, then its payload. */
function controlFrame(type: number, payload: Buffer, flags = 0): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(control | version, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(((flags << 24) | payload.length) >>> 0, 4);
  return Buffer.concat([head, payload]);
}

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * index);
  return bytes;
}

export function dataFrame(streamId: number, bytes: Uint8Array, isLast: boolean): Buffer {
  return Buffer.concat([numbers(streamId, ((isLast ? fin : 0) << 24) | bytes.length), bytes]);
}

/** `block`: compressed headers. */
export const synReplyFrame = (streamId: number, block: Uint8Array): Buffer =>
  controlFrame(frameTypes.synReply, Buffer.concat([numbers(streamId), block]));

export const rstStreamFrame = (streamId: number, status: number): Buffer =>
  controlFrame(frameTypes.rstStream, numbers(streamId, status));

export const pingFrame = (id: number): Buffer => controlFrame(frameTypes.ping, numbers(id));

export const goAwayFrame = (lastStreamId: number, status: number): Buffer =>
  controlFrame(frameTypes.goAway, numbers(lastStreamId, status));

export const windowUpdateFrame = (streamId: number, delta: number): Buffer =>
  controlFrame(frameTypes.windowUpdate, numbers(streamId, delta));
