/** One piece of a multiplexed stream of the Docker Engine API. */
export interface Frame {
  readonly stream: 'stdin' | 'stdout' | 'stderr';
  readonly payload: Buffer;
}

const headerLength = 8;
const streams = ['stdin', 'stdout', 'stderr'] as const;

/**
 * Splits a multiplexed body (one byte stream number, three zero bytes, four bytes big-endian length, payload) into its
 * frames. `rest` is what belongs to a frame that is not complete yet. Bytes that cannot be a header are taken as
 * stdout text, which is what a container with a terminal sends.
 */
export function decodeFrames(bytes: Buffer): { readonly frames: readonly Frame[]; readonly rest: Buffer } {
  const frames: Frame[] = [];
  let offset = 0;
  while (bytes.length - offset >= headerLength) {
    const stream = streams[bytes.readUInt8(offset)];
    if (stream === undefined || bytes.readUIntBE(offset + 1, 3) !== 0) {
      frames.push({ stream: 'stdout', payload: bytes.subarray(offset) });
      return { frames, rest: Buffer.alloc(0) };
    }
    const start = offset + headerLength;
    const end = start + bytes.readUInt32BE(offset + 4);
    if (end > bytes.length) break;
    frames.push({ stream, payload: bytes.subarray(start, end) });
    offset = end;
  }
  return { frames, rest: bytes.subarray(offset) };
}

/** The text of both streams in order of arrival. */
export function frameText(bytes: Buffer): string {
  return Buffer.concat(decodeFrames(bytes).frames.map((frame) => frame.payload)).toString('utf8');
}
