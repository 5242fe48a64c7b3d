import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SpdyConnection } from '../../../infra/cluster/relay/kubelet/spdy/connection.ts';
import type { Violation } from '../../../infra/cluster/relay/kubelet/spdy/connection.ts';
import {
  dataFrame,
  pingFrame,
  rstStreamFrame,
  windowUpdateFrame,
} from '../../../infra/cluster/relay/kubelet/spdy/frames.ts';
import { spdyLimits } from '../../../infra/cluster/relay/kubelet/spdy/limits.ts';
import type { SpdyStream } from '../../../infra/cluster/relay/kubelet/spdy/stream.ts';
import { MemoryTransport, settle } from './memory-transport.ts';
import { recorded } from './recorded.ts';

interface Rig {
  readonly transport: MemoryTransport;
  readonly connection: SpdyConnection;
  readonly streams: SpdyStream[];
  readonly ended: Promise<Violation>;
}

function open({
  mostStreams = 8,
  takes = () => true,
}: { mostStreams?: number; takes?: (stream: SpdyStream) => boolean } = {}): Rig {
  const transport = new MemoryTransport();
  const streams: SpdyStream[] = [];
  const connection = new SpdyConnection(transport, {
    mostStreams,
    onStream: (stream) => {
      if (!takes(stream)) return false;
      streams.push(stream);
      return true;
    },
  });
  return { transport, connection, streams, ended: connection.run() };
}

const { synError, synStdin, synStdout } = recorded;
const text = async (stream: SpdyStream | undefined): Promise<string | undefined> =>
  (await stream?.read())?.toString('latin1');

describe('a connection', () => {
  it('answers each stream at once, passes bytes on both ways, and ends with GOAWAY', async () => {
    const { transport, connection, streams, ended } = open();
    transport.send(synError, synStdin, recorded.data, recorded.fin);
    await settle(transport);
    expect(streams.map(({ id, headers }) => [id, headers.get('streamtype')])).toEqual([
      [1, 'error'],
      [3, 'stdin'],
    ]);
    expect([await text(streams[1]), await text(streams[1])]).toEqual(['hello\n', undefined]);
    await streams[0]?.write(Buffer.from('bye'));
    await streams[0]?.end();
    connection.close();
    expect(await ended).toBeUndefined();
    expect(transport.said()).toEqual(['reply 1', 'reply 3', 'data 1 bye', 'fin 1', 'goaway 3 0']);
    expect(transport.hasEnded).toBe(true);
  });

  it('answers pings of the client, and none of its own, which there are not', async () => {
    const { transport } = open();
    transport.send(recorded.ping, pingFrame(2));
    await settle(transport);
    expect(transport.said()).toEqual(['ping 1']);
  });

  it('refuses a stream that nobody takes, and more than there may be', async () => {
    const { transport, streams } = open({ mostStreams: 1, takes: (stream) => stream.id > 1 });
    transport.send(synError, synStdin, synStdout);
    await settle(transport);
    expect(streams.map(({ id }) => id)).toEqual([3]);
    expect(transport.said()).toEqual(['rst 1 3', 'reply 3', 'rst 5 3']);
  });

  it('a stream that the client resets is over, whatever was to be read or written', async () => {
    const { transport, streams } = open();
    transport.send(synError, synStdin, recorded.data, recorded.rstStream);
    await settle(transport);
    const [, stdin] = streams;
    expect(await text(stdin)).toBeUndefined();
    expect(stdin?.abandoned.aborted).toBe(true);
    await stdin?.write(Buffer.from('late'));
    await stdin?.end();
    expect(transport.said()).toEqual(['reply 1', 'reply 3']);
  });

  it('what has come before the client hung up can still be read', async () => {
    const { transport, streams, ended } = open();
    transport.send(synError, synStdin, recorded.data);
    transport.hangUp();
    await ended;
    expect([await text(streams[1]), await text(streams[1])]).toEqual(['hello\n', undefined]);
  });

  it('a late byte of a stream that has ended is of no interest, one of a stream that never was is refused', async () => {
    const { transport, streams, ended } = open();
    transport.send(synError, synStdin);
    await settle(transport);
    streams[1]?.abandon();
    transport.send(recorded.data, dataFrame(99, Buffer.from('x'), false));
    transport.hangUp();
    await ended;
    expect(transport.said().slice(2)).toEqual(['rst 99 2', 'goaway 3 0']);
  });

  it('writes no piece that is larger than its limit', async () => {
    const { transport, streams } = open();
    transport.send(synError);
    await settle(transport);
    await streams[0]?.write(Buffer.alloc(100_000));
    const sizes = transport.frames().flatMap((frame) => (frame.kind === 'data' ? [frame.bytes.length] : []));
    expect(sizes).toEqual([32_768, 32_768, 32_768, 1696]);
  });
});

describe('flow control', () => {
  it('a client that says nothing of windows is held up by its connection alone, as Kubernetes is', async () => {
    const { transport, streams } = open();
    transport.send(synError);
    await settle(transport);
    await streams[0]?.write(Buffer.alloc(1_000_000));
    expect(transport.said().length).toBe(1 + Math.ceil(1_000_000 / 32_768));
  });

  it('the windows of one that does are kept, of the stream and of the connection', async () => {
    const { transport, streams } = open();
    // SETTINGS first: 1,000 bytes for each stream.
    transport.send(recorded.settings, synError);
    await settle(transport);
    let isWritten = false;
    const write = async (): Promise<void> => {
      await streams[0]?.write(Buffer.alloc(100_000, 'x'));
      isWritten = true;
    };
    void write();
    const sent = (): number =>
      transport.frames().reduce((sum, frame) => sum + (frame.kind === 'data' ? frame.bytes.length : 0), 0);
    await settle(transport);
    expect(sent()).toBe(1000);
    transport.send(windowUpdateFrame(1, 80_000));
    await settle(transport);
    // The connection's own: 65,536.
    expect(sent()).toBe(65_536);
    transport.send(windowUpdateFrame(0, 15_464));
    await settle(transport);
    expect(sent()).toBe(81_000);
    expect(isWritten).toBe(false);
    transport.send(rstStreamFrame(1, 5));
    await settle(transport);
    expect(isWritten).toBe(true);
  });

  it('what was read makes room, and the client is told when it is half a window', async () => {
    const { transport, streams } = open();
    transport.send(synError, synStdin);
    for (let count = 0; count < 40; count += 1) transport.send(dataFrame(3, Buffer.alloc(1000), false));
    await settle(transport);
    expect(transport.said().slice(2)).toEqual([]);
    await streams[1]?.read();
    await settle(transport);
    expect(transport.said().slice(2)).toEqual(['window 3 40000', 'window 0 40000']);
  });

  it('a stream that nobody reads holds a little, and then the connection is not read', async () => {
    const { transport, streams } = open();
    transport.send(synError, synStdin);
    const all = 4_000_000;
    for (let sent = 0; sent < all; sent += 8000) transport.send(dataFrame(3, Buffer.alloc(8000), false));
    await settle(transport);
    expect(transport.unread).toBeGreaterThan(all - spdyLimits.unreadBytes - 50_000);
    let got = 0;
    while (got < all) got += (await streams[1]?.read())?.length ?? Infinity;
    expect(got).toBe(all);
  });

  it.each([
    ['of a stream: that stream is reset', windowUpdateFrame(1, 0x7f_ff_ff_ff), undefined, 'rst 1 7'],
    [
      'of the connection: it ends',
      windowUpdateFrame(0, 0x7f_ff_ff_ff),
      'a window larger than there can be',
      'goaway 1 1',
    ],
    ['by nothing: it ends', windowUpdateFrame(1, 0), 'a window that grows by nothing', 'goaway 1 1'],
  ])('a window that grows beyond what there can be, %s', async (_, frame, violation, said) => {
    const { transport, ended } = open();
    transport.send(synError, frame);
    await settle(transport);
    transport.hangUp();
    expect(await ended).toBe(violation);
    expect(transport.said()[1]).toBe(said);
  });
});

describe('what nobody should send ends in GOAWAY, with nothing left', () => {
  const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
  it.each([
    ['a stream number twice', [synError, synStdin, synStdin], 'a new stream 3 after 3'],
    ['an even stream number', [bytes('80030001 0000000a 00000002 00000000 0000')], 'a new stream 2 after 0'],
    [
      'headers that are none',
      [bytes('80030001 0000000e 00000001 00000000 0000 deadbeef')],
      'headers that can not be read',
    ],
    ['data of stream 0', [bytes('00000000 00000001 ff')], 'a data frame of stream 0'],
    [
      'a control frame without end',
      [bytes('80030001 00ffffff')],
      'a control frame of 16777215 bytes; 16384 are the most',
    ],
  ])('%s', async (_, frames, violation) => {
    const { transport, streams, ended } = open();
    transport.send(...frames);
    expect(await ended).toBe(violation);
    expect(transport.said().at(-1)).toMatch(/^goaway \d+ 1$/);
    for (const stream of streams) {
      expect(stream.canWrite).toBe(false);
      expect(await stream.read()).toBeUndefined();
    }
  });

  it.each([
    ['frames of unknown kinds', () => bytes('8003000b 00000004 01020304')],
    ['data of streams that never were', (index: number) => dataFrame(100_001 + 2 * index, Buffer.from('x'), false)],
    ['empty data', () => dataFrame(1, Buffer.alloc(0), false)],
  ])('10,000 %s: it gives up after a thousand', async (_, frame) => {
    const { transport, ended } = open();
    transport.send(synError);
    await settle(transport);
    transport.send(...Array.from({ length: 10_000 }, (__, index) => frame(index)));
    expect(await ended).toBe('too many frames that nobody needs');
    expect(transport.said().length).toBeLessThan(1_010);
    expect(transport.said().at(-1)).toBe('goaway 1 1');
  });

  it('pings without end are answered as fast as the client reads, and no faster', async () => {
    const { transport } = open();
    const gate = Promise.withResolvers<void>();
    transport.blocked = gate.promise;
    transport.send(...Array.from({ length: 10_000 }, () => recorded.ping));
    await settle(transport);
    expect(transport.said()).toHaveLength(1);
    transport.blocked = undefined;
    gate.resolve();
    await settle(transport);
    expect(transport.said()).toHaveLength(10_000);
  });

  it('any bytes at all, after a good beginning: no exception, no hang, little held', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(...Object.values(recorded))), {
          maxLength: 60,
        }),
        async (frames) => {
          const { transport, streams, ended } = open();
          transport.send(synError, ...frames);
          for (const stream of streams) void stream.read();
          transport.hangUp();
          const violation = await ended;
          expect(transport.said().at(-1)).toMatch(violation === undefined ? /^goaway \d+ 0$/ : /^goaway \d+ 1$/);
          for (const stream of streams) expect(stream.canWrite).toBe(false);
        },
      ),
    );
  });
});
