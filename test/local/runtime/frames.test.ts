import { array, assert, constantFrom, nat, property, tuple, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrames, frameText } from '../../../infra/local/aci/runtime/engine/frames.ts';

function encode(stream: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(stream, 0);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

const frames = array(tuple(constantFrom(1, 2), uint8Array({ maxLength: 40 })), { maxLength: 8 });

describe('multiplexed streams', () => {
  it('come back as they were written', () => {
    assert(
      property(frames, (written) => {
        const bytes = Buffer.concat(written.map(([stream, payload]) => encode(stream, Buffer.from(payload))));
        const { frames: read, rest } = decodeFrames(bytes);
        expect(read.map((frame) => [frame.stream === 'stdout' ? 1 : 2, new Uint8Array(frame.payload)])).toEqual(
          written.map(([stream, payload]) => [stream, new Uint8Array(payload)]),
        );
        expect(rest).toHaveLength(0);
      }),
    );
  });

  it('may be cut anywhere: what is decoded and what is left over make the whole', () => {
    assert(
      property(frames, nat(), (written, cut) => {
        const bytes = Buffer.concat(written.map(([stream, payload]) => encode(stream, Buffer.from(payload))));
        const place = bytes.length === 0 ? 0 : cut % bytes.length;
        const first = decodeFrames(bytes.subarray(0, place));
        const second = decodeFrames(Buffer.concat([first.rest, bytes.subarray(place)]));
        expect([...first.frames, ...second.frames]).toEqual(decodeFrames(bytes).frames);
      }),
    );
  });

  it('keep the order of both streams', () => {
    const bytes = Buffer.concat([
      encode(1, Buffer.from('a\n')),
      encode(2, Buffer.from('b\n')),
      encode(1, Buffer.from('c')),
    ]);
    expect(frameText(bytes)).toBe('a\nb\nc');
  });

  it('are plain text where a terminal is attached', () => {
    expect(frameText(Buffer.from('plain text without frames'))).toBe('plain text without frames');
  });
});
