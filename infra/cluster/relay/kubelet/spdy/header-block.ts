import { dictionaryId } from './dictionary.ts';
import { spdyLimits } from './limits.ts';

/** The name/value pairs of an inflated block, names in small letters; undefined: it is none, or has a name twice. */
export function readHeaderBlock(bytes: Buffer): ReadonlyMap<string, string> | undefined {
  const headers = new Map<string, string>();
  let at = 4;
  const next = (): string | undefined => {
    if (bytes.length < at + 4) return undefined;
    const end = at + 4 + bytes.readUInt32BE(at);
    if (bytes.length < end) return undefined;
    const text = bytes.toString('latin1', at + 4, end);
    at = end;
    return text;
  };
  const count = bytes.length < 4 ? Infinity : bytes.readUInt32BE(0);
  if (count > spdyLimits.headers) return undefined;
  for (let index = 0; index < count; index += 1) {
    const name = next();
    const value = next();
    if (name === undefined || value === undefined || name === '') return undefined;
    if (name !== name.toLowerCase() || headers.has(name)) return undefined;
    headers.set(name, value);
  }
  return at === bytes.length ? headers : undefined;
}

/** A block of deflate that is stored as it is, and not the last. */
function storedBlock(bytes: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt16LE(bytes.length, 1);
  head.writeUInt16LE(0xff_ff - bytes.length, 3);
  return Buffer.concat([head, bytes]);
}

/** Deflate with a window of 32 KiB, its dictionary known. */
const zlibHead = Buffer.alloc(6);
zlibHead.writeUInt16BE(0x78_20, 0);
zlibHead.writeUInt32BE(dictionaryId, 2);

/** No header at all: what Kubernetes answers to each new stream. An empty block after it has readers give out what they have. */
const noHeaders = Buffer.concat([storedBlock(Buffer.alloc(4)), storedBlock(Buffer.alloc(0))]);

/** No headers as the next piece of this side's compressed stream, which needs no compressor so. */
export const emptyBlock = (isFirst: boolean): Buffer => (isFirst ? Buffer.concat([zlibHead, noHeaders]) : noHeaders);
