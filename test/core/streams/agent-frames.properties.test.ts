import { crc32 as crc32OfZlib } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameReader, FrameWriter, frameTags, mostPayload } from '../../../shared/core/streams/agent-frames.ts';
import type { Frame } from '../../../shared/core/streams/agent-frames.ts';
import { HelloReader } from '../../../shared/core/streams/agent-hello.ts';
import { crc32 } from '../../../shared/core/streams/crc32.ts';
import { formatPortPayload, parsePortPayload } from '../../../shared/core/streams/port-frames.ts';

const frame = fc.record({
  tag: fc.constantFrom(...Object.values(frameTags)),
  payload: fc.uint8Array({ maxLength: 300 }),
});
const frames = fc.array(frame, { minLength: 1, maxLength: 20 });

/** Where a stream is cut. */
const cuts = fc.array(fc.nat(400), { maxLength: 30 });

function pieces(bytes: Uint8Array, sizes: readonly number[]): readonly Uint8Array[] {
  const all: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    all.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...all, bytes.subarray(at)];
}

const written = (all: readonly Frame[]): readonly Uint8Array[] => {
  const writer = new FrameWriter();
  return all.map(({ tag, payload }) => writer.frame(tag, payload));
};

interface Read {
  readonly frames: readonly Frame[];
  readonly isBroken: boolean;
  readonly isAtBorder: boolean;
}

function read(bytes: Uint8Array, sizes: readonly number[] = []): Read {
  const reader = new FrameReader();
  const found: Frame[] = [];
  let isBroken = false;
  for (const piece of pieces(bytes, sizes)) {
    const got = reader.read(piece);
    found.push(...got.frames);
    ({ isBroken } = got);
  }
  return { frames: found, isBroken, isAtBorder: reader.isAtBorder };
}

const startsWith = (all: readonly Frame[], some: readonly Frame[]): boolean =>
  some.every(
    ({ tag, payload }, at) => tag === all[at]?.tag && Buffer.from(payload).equals(Buffer.from(all[at]?.payload ?? [])),
  );

describe('frames', () => {
  it('arrive as they were sent, wherever the stream is cut', () =>
    fc.assert(
      fc.property(frames, cuts, (sent, sizes) => {
        expect(read(Buffer.concat(written(sent)), sizes)).toEqual({ frames: sent, isBroken: false, isAtBorder: true });
      }),
    ));

  it('that are changed, lost, doubled or swapped are seen, and nothing that was not sent is taken', () =>
    fc.assert(
      fc.property(
        frames,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.constantFrom(0, 1, 2, 3),
        (sent, where, by, how) => {
          const all = [...written(sent)];
          const at = where % all.length;
          const one = all[at] ?? new Uint8Array();
          const next = all[at + 1];
          if (how === 0) one[where % one.length] = (one[where % one.length] ?? 0) ^ by;
          else if (how === 1) all.splice(at, 1);
          else if (how === 2) all.splice(at, 0, one);
          else if (next !== undefined) all.splice(at, 2, next, one);
          // What is lost at the end is seen by the end alone.
          const isHarmless = (how === 1 && at === sent.length - 1) || (how === 3 && next === undefined);
          const seen = read(Buffer.concat(all));
          expect(startsWith(sent, seen.frames)).toBe(true);
          expect(seen.isBroken || !seen.isAtBorder || isHarmless).toBe(true);
          expect(isHarmless || seen.frames.length <= (how === 2 ? at + 1 : at)).toBe(true);
        },
      ),
      { numRuns: 300 },
    ));

  it('are none in garbage, of which nothing more than a frame is held', () =>
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 40, maxLength: 5_000 }), cuts, (bytes, sizes) => {
        const seen = read(bytes, sizes);
        expect(seen.frames).toEqual([]);
        expect(seen.isBroken || bytes.length < mostPayload).toBe(true);
      }),
    ));

  it('a payload is as long as it may be, and no longer', () => {
    const longest = new Uint8Array(mostPayload).fill(7);
    expect(read(new FrameWriter().frame('O', longest)).frames).toEqual([{ tag: 'O', payload: longest }]);
    expect(() => new FrameWriter().frame('O', new Uint8Array(mostPayload + 1))).toThrow(RangeError);
    expect(read(Uint8Array.of('O'.charCodeAt(0), 0x80, 1)).isBroken).toBe(true);
  });

  it('nothing follows what is broken', () => {
    const reader = new FrameReader();
    expect(reader.read(Uint8Array.of(1, 2, 3)).isBroken).toBe(true);
    expect(reader.read(new FrameWriter().frame('P'))).toEqual({ frames: [], isBroken: true });
    expect(reader.isAtBorder).toBe(false);
  });

  it('have the checksum of everybody else', () =>
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (one, other) => {
        expect(crc32(one, other)).toBe(crc32OfZlib(Buffer.concat([one, other])));
      }),
    ));

  it('of a connection have its number before all else', () =>
    fc.assert(
      fc.property(fc.nat(0xff_ff_ff_ff), fc.uint8Array(), (id, payload) => {
        expect(parsePortPayload(formatPortPayload(id, payload))).toEqual({ id, payload });
        expect(parsePortPayload(payload.subarray(0, 3))).toBeUndefined();
      }),
    ));
});

describe('the hello of an agent', () => {
  const json = '{"version":1,"window":65536}';
  const echo = fc.uint8Array({ maxLength: 3_000 }).filter((bytes) => !Buffer.from(bytes).includes('S'));

  it('is found behind an echo, with what follows it, wherever the stream is cut', () =>
    fc.assert(
      fc.property(echo, fc.uint8Array({ maxLength: 500 }), cuts, (before, after, sizes) => {
        const reader = new HelloReader();
        const rest: Uint8Array[] = [];
        let found = '';
        for (const piece of pieces(Buffer.concat([before, Buffer.from(`SK1 ${json}\n`), after]), sizes)) {
          if (found !== '') {
            rest.push(piece);
            continue;
          }
          const got = reader.read(piece);
          if (got.kind === 'hello') [found] = [got.json, rest.push(got.rest)];
        }
        expect(found).toBe(json);
        expect(Buffer.concat(rest).equals(Buffer.from(after))).toBe(true);
      }),
    ));

  it.each([
    ['no hello in much', Buffer.alloc(20_000, 'x')],
    ['a line without an end', Buffer.from(`SK1 ${'x'.repeat(2_000)}`)],
    ['a line that is too long', Buffer.from(`SK1 ${'x'.repeat(2_000)}\n`)],
    ['one that comes late', Buffer.concat([Buffer.alloc(20_000, 'x'), Buffer.from(`SK1 ${json}\n`)])],
  ])('%s is none', (_, bytes) => expect(new HelloReader().read(bytes)).toEqual({ kind: 'none' }));
});
