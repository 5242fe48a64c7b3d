import { constants, createDeflate, inflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dictionaryId, spdyDictionary } from '../../../infra/cluster/relay/kubelet/spdy/dictionary.ts';
import { emptyBlock, readHeaderBlock } from '../../../infra/cluster/relay/kubelet/spdy/header-block.ts';
import { HeaderInflater } from '../../../infra/cluster/relay/kubelet/spdy/header-inflater.ts';
import { recorded } from './recorded.ts';

const blockOf = (synStream: Buffer): Buffer => synStream.subarray(18);

/** Pairs as a block, before it is compressed. */
function plainBlock(pairs: readonly (readonly [string, string])[], count = pairs.length): Buffer {
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const texts = pairs
    .flat()
    .map((text) => Buffer.concat([number(Buffer.byteLength(text, 'latin1')), Buffer.from(text, 'latin1')]));
  return Buffer.concat([number(count), ...texts]);
}

describe('the dictionary', () => {
  it('has the checksum by which streams name it', () => {
    let low = 1;
    let high = 0;
    for (const byte of spdyDictionary) {
      low = (low + byte) % 65_521;
      high = (high + low) % 65_521;
    }
    expect(high * 65_536 + low).toBe(dictionaryId);
    expect(spdyDictionary).toHaveLength(1423);
  });
});

describe('headers of the client', () => {
  it("Kubernetes' own are read, block by block of one stream", async () => {
    const inflater = new HeaderInflater();
    const seen: unknown[] = [];
    for (const frame of [recorded.synError, recorded.synStdin, recorded.synStdout, recorded.synPortError])
      seen.push([...(readHeaderBlock((await inflater.read(blockOf(frame))) ?? Buffer.alloc(0)) ?? [])]);
    expect(seen).toEqual([
      [['streamtype', 'error']],
      [['streamtype', 'stdin']],
      [['streamtype', 'stdout']],
      expect.arrayContaining([
        ['streamtype', 'error'],
        ['port', '8080'],
        ['requestid', '0'],
      ]),
    ]);
    inflater.close();
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['half a number', Buffer.from([0, 0])],
    ['fewer pairs than it says', plainBlock([['a', 'b']], 2)],
    ['more than it says', plainBlock([['a', 'b']], 0)],
    ['more pairs than there may be', plainBlock([['a', 'b']], 65)],
    ['a name in capitals', plainBlock([['Port', '80']])],
    [
      'a name twice',
      plainBlock([
        ['port', '80'],
        ['port', '81'],
      ]),
    ],
    ['a pair without a name', plainBlock([['', '80']])],
    ['a length beyond the end', Buffer.from('00000001ffffffff61', 'hex')],
  ])('%s: no headers', (_, block) => expect(readHeaderBlock(block)).toBeUndefined());

  it('any block that is written is read as it was, and any other bytes are no error', () => {
    const text = fc.string({
      unit: fc.integer({ min: 97, max: 122 }).map((code) => String.fromCharCode(code)),
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(text, text), { maxLength: 64, selector: ([name]) => name }), (pairs) => {
        expect([...(readHeaderBlock(plainBlock(pairs)) ?? [])]).toEqual(pairs);
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readHeaderBlock(Buffer.from(bytes))));
  });

  it('that inflate to more than they may end the stream, after little was held', async () => {
    const bomb = await deflated(Buffer.alloc(10_000_000));
    expect(bomb.length).toBeLessThan(16_384);
    const inflater = new HeaderInflater();
    expect(await inflater.read(bomb)).toBeUndefined();
    expect(await inflater.read(blockOf(recorded.synError))).toBeUndefined();
  });

  it.each([
    ['no zlib', Buffer.from('hello, world')],
    ['another dictionary', Buffer.from('78f90000000162606060', 'hex')],
    ['a block that was changed', Buffer.concat([blockOf(recorded.synError).subarray(0, 6), Buffer.alloc(20, 0xff)])],
  ])('%s: the stream is lost', async (_, block) => {
    const inflater = new HeaderInflater();
    expect(await inflater.read(block)).toBeUndefined();
    expect(await inflater.read(block)).toBeUndefined();
  });
});

async function deflated(bytes: Buffer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const deflate = createDeflate({ dictionary: spdyDictionary, level: 9, flush: constants.Z_SYNC_FLUSH });
  deflate.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve) => {
    deflate.write(bytes, () => resolve());
  });
  return Buffer.concat(chunks);
}

describe('headers of the server', () => {
  it('are none, in a stream that any inflater with the dictionary reads', () => {
    const stream = Buffer.concat([emptyBlock(true), emptyBlock(false), emptyBlock(false)]);
    const options = { dictionary: spdyDictionary, finishFlush: constants.Z_SYNC_FLUSH };
    expect(inflateSync(stream, options)).toEqual(Buffer.alloc(12));
    // Kubernetes' reader wants each block to be through with its own frame.
    expect(inflateSync(emptyBlock(true), options)).toEqual(Buffer.alloc(4));
  });
});
