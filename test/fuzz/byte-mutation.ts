import { gzipSync } from 'node:zlib';
import type { Dice } from './dice.ts';

const operations = {
  cut: 5,
  flip: 5,
  splice: 4,
  utf8: 3,
  bom: 1,
  utf16: 1,
  gzip: 1,
  zero: 2,
  repeat: 1,
  tail: 2,
  html: 2,
};
const badUtf8 = [
  [0xff],
  [0xc3],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xf8, 0x88, 0x80, 0x80, 0x80],
  [0xe2, 0x28, 0xa1],
].map((bytes) => Buffer.from(bytes));
const page = Buffer.from('<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>');

/** Does one thing to the bytes; the word says what. */
export function mutateBytes(bytes: Buffer, dice: Dice): { readonly bytes: Buffer; readonly did: string } {
  const at = dice.below(bytes.length + 1);
  const did = dice.weighted(operations);
  const insert = (piece: Buffer): Buffer => Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
  switch (did) {
    case 'cut':
      return { did, bytes: bytes.subarray(0, at) };
    case 'flip': {
      const flipped = Buffer.from(bytes);
      if (at < flipped.length) flipped[at] = (flipped[at] ?? 0) ^ (1 << dice.below(8));
      return { did, bytes: flipped };
    }
    case 'splice': {
      const from = dice.below(bytes.length + 1);
      return { did, bytes: insert(bytes.subarray(from, from + dice.below(200))) };
    }
    case 'utf8':
      return { did, bytes: insert(dice.pick(badUtf8)) };
    case 'bom':
      return { did, bytes: Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]) };
    case 'utf16':
      return { did, bytes: Buffer.from(bytes.toString('utf8'), 'utf16le') };
    case 'gzip':
      return { did, bytes: gzipSync(bytes).subarray(0, dice.chance(0.5) ? undefined : 20) };
    case 'zero':
      return { did, bytes: insert(Buffer.alloc(1 + dice.below(8))) };
    case 'repeat':
      return { did, bytes: Buffer.concat([bytes, bytes]) };
    case 'tail':
      return { did, bytes: Buffer.concat([bytes, dice.pick(badUtf8), Buffer.from('}')]) };
    case 'html':
      return { did, bytes: page };
  }
}
