import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readControlFrame } from '../../../infra/cluster/relay/kubelet/spdy/control-frame.ts';
import { FrameReader } from '../../../infra/cluster/relay/kubelet/spdy/frame-reader.ts';
import type { RawFrame } from '../../../infra/cluster/relay/kubelet/spdy/frame-reader.ts';
import {
  dataFrame,
  goAwayFrame,
  pingFrame,
  rstStreamFrame,
  windowUpdateFrame,
} from '../../../infra/cluster/relay/kubelet/spdy/frames.ts';
import { recorded } from './recorded.ts';

const read = (...chunks: readonly Uint8Array[]): readonly RawFrame[] => {
  const reader = new FrameReader();
  return chunks.flatMap((chunk) => [...reader.read(chunk)]);
};
const controls = (...chunks: readonly Uint8Array[]) =>
  read(...chunks).map((frame) => (frame.kind === 'control' ? readControlFrame(frame) : frame));

describe('what is written', () => {
  it.each([
    ['data', dataFrame(3, Buffer.from('hello\n'), false), recorded.data],
    ['the end of a stream', dataFrame(3, Buffer.alloc(0), true), recorded.fin],
    ['PING', pingFrame(1), recorded.ping],
    ['GOAWAY', goAwayFrame(0, 0), recorded.goAway],
    ['WINDOW_UPDATE', windowUpdateFrame(3, 16), recorded.windowUpdate],
    ['RST_STREAM', rstStreamFrame(3, 5), recorded.rstStream],
  ])('%s is as Kubernetes writes it', (_, frame, expected) => expect(frame).toEqual(expected));
});

describe('what Kubernetes writes is read', () => {
  it.each([
    ['SYN_STREAM', recorded.synStdin, { kind: 'syn-stream', streamId: 3, isLast: false, isUnidirectional: false }],
    ['SETTINGS', recorded.settings, { kind: 'settings', entries: [{ id: 7, value: 1000 }] }],
    ['WINDOW_UPDATE', recorded.windowUpdate, { kind: 'window-update', streamId: 3, delta: 16 }],
    ['RST_STREAM', recorded.rstStream, { kind: 'rst-stream', streamId: 3 }],
    ['PING', recorded.ping, { kind: 'ping', id: 1 }],
    ['GOAWAY', recorded.goAway, { kind: 'go-away' }],
    ['data', recorded.data, { kind: 'data', streamId: 3, isLast: false }],
    ['the end of a stream', recorded.fin, { kind: 'data', streamId: 3, isLast: true }],
  ])('%s', (_, bytes, expected) => expect(controls(bytes)).toMatchObject([expected]));

  it('a last frame that comes in pieces is the last with its last piece', () => {
    const frame = dataFrame(3, Buffer.from('hello'), true);
    const pieces = read(frame.subarray(0, 10), frame.subarray(10, 12), frame.subarray(12));
    expect(pieces.map((piece) => piece.kind === 'data' && [piece.bytes.toString(), piece.isLast])).toEqual([
      ['he', false],
      ['ll', false],
      ['o', true],
    ]);
  });

  it('however it is cut', () => {
    const all = Buffer.concat(Object.values(recorded));
    const whole = joined(read(all));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: all.length }), { maxLength: 40 }), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), all.length];
        const chunks = at.slice(1).map((end, index) => all.subarray(at[index] ?? 0, end));
        expect(joined(read(...chunks))).toEqual(whole);
      }),
    );
  });
});

/** Pieces of one data frame are one. */
function joined(frames: readonly RawFrame[]): readonly unknown[] {
  const all: unknown[] = [];
  let data: { readonly streamId: number; readonly bytes: string; readonly isLast: boolean } | undefined;
  const flush = (): void => {
    if (data !== undefined) all.push(data);
    data = undefined;
  };
  const add = (frame: RawFrame): void => {
    if (frame.kind !== 'data') {
      flush();
      all.push(frame.kind === 'control' ? { ...frame, payload: frame.payload.toString('hex') } : frame);
    } else if (data === undefined || data.streamId !== frame.streamId || data.isLast) {
      flush();
      data = { streamId: frame.streamId, bytes: frame.bytes.toString('hex'), isLast: frame.isLast };
    } else data = { ...data, bytes: data.bytes + frame.bytes.toString('hex'), isLast: frame.isLast };
  };
  for (const frame of frames) add(frame);
  flush();
  return all;
}

const control = (
  type: number,
  payload: string,
  { version = 3, flags = 0, length }: { version?: number; flags?: number; length?: number } = {},
): Buffer => {
  const body = Buffer.from(payload.replaceAll(' ', ''), 'hex');
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8000 | version, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(((flags << 24) | (length ?? body.length)) >>> 0, 4);
  return Buffer.concat([head, body]);
};

describe('what no client writes', () => {
  it.each([
    ['data of stream 0', Buffer.from('0000000000000001ff', 'hex'), 'a data frame of stream 0'],
    [
      'a control frame beyond the limit',
      control(1, '', { length: 16_385 }),
      'a control frame of 16385 bytes; 16384 are the most',
    ],
    ['another version', control(6, '00000001', { version: 2 }), 'a frame of version 2'],
    ['a PING that is too long', control(6, '00000001 00'), 'PING of 5 bytes'],
    ['a RST_STREAM that is too short', control(3, '00000001'), 'RST_STREAM of 4 bytes'],
    ['a SYN_STREAM without its numbers', control(1, '00000001'), 'SYN_STREAM of 4 bytes'],
    [
      'SETTINGS with fewer entries than it says',
      control(4, '00000002 00000007 00000001'),
      'SETTINGS of 2 entries in 12 bytes',
    ],
    ['SETTINGS that say four thousand million', control(4, 'ffffffff'), 'SETTINGS of 4294967295 entries in 4 bytes'],
  ])('%s', (_, bytes, why) => expect(controls(bytes)).toEqual([{ kind: 'broken', why }]));

  it('ends the reading: nothing that follows is looked at', () => {
    const reader = new FrameReader();
    expect([...reader.read(Buffer.from('0000000000000001ff', 'hex'))]).toHaveLength(1);
    expect([...reader.read(recorded.ping)]).toEqual([]);
  });

  it('a kind that SPDY does not have is passed over whole', () => {
    expect(controls(control(10, 'ff'.repeat(100)), recorded.ping)).toEqual([
      { kind: 'unknown' },
      { kind: 'ping', id: 1 },
    ]);
  });

  it('any bytes come to an end, and are held only up to one control frame', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 50 }), (chunks) => {
        const frames = read(...chunks);
        const size = frames.reduce((sum, frame) => sum + (frame.kind === 'data' ? frame.bytes.length : 0), 0);
        expect(size).toBeLessThanOrEqual(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
        expect(frames.filter(({ kind }) => kind === 'broken').length).toBeLessThanOrEqual(1);
      }),
    );
  });
});
