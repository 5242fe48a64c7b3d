import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMessage, piecesOf, readMessage } from '../../../infra/cluster/relay/kubelet/streams/channel-message.ts';
import { commandStatus, plainStatus } from '../../../infra/cluster/relay/kubelet/streams/command-status.ts';
import { SizeQueue } from '../../../infra/cluster/relay/kubelet/streams/size-queue.ts';
import { TerminalSizes } from '../../../infra/cluster/relay/kubelet/streams/terminal-sizes.ts';
import {
  chooseProtocol,
  commandProtocols,
  portProtocols,
  protocolNames,
} from '../../../infra/cluster/relay/kubelet/streams/web-socket-protocols.ts';
import type { ChannelProtocol } from '../../../infra/cluster/relay/kubelet/streams/web-socket-protocols.ts';

const named = (name: string): ChannelProtocol => {
  const protocol = commandProtocols.find((one) => one.name === name);
  if (protocol === undefined) throw new Error(name);
  return protocol;
};

describe('a subprotocol is chosen', () => {
  it.each([
    ['v5.channel.k8s.io', 'v5.channel.k8s.io'],
    ['v4.channel.k8s.io, v5.channel.k8s.io', 'v4.channel.k8s.io'],
    ['v9.channel.k8s.io,v4.base64.channel.k8s.io', 'v4.base64.channel.k8s.io'],
    ['channel.k8s.io', 'channel.k8s.io'],
    ['base64.channel.k8s.io', 'base64.channel.k8s.io'],
    [undefined, ''],
    ['chat', undefined],
    [' , ', ''],
  ])('%j: %j, the first of the client’s that is known', (header, chosen) => {
    expect(chooseProtocol(protocolNames(header), commandProtocols)?.name).toBe(chosen);
  });

  it('ports have fewer', () => {
    expect(portProtocols.map(({ name }) => name)).toEqual(['v4.channel.k8s.io', 'v4.base64.channel.k8s.io', '']);
  });
});

describe('a message', () => {
  it.each<[string, string, string, object]>([
    ['v4.channel.k8s.io', '\0hello', 'stdin', { kind: 'data', channel: 0, bytes: Buffer.from('hello') }],
    [
      'v4.base64.channel.k8s.io',
      '0aGVsbG8=',
      'stdin in base64',
      { kind: 'data', channel: 0, bytes: Buffer.from('hello') },
    ],
    ['v4.base64.channel.k8s.io', '0', 'nothing on a channel', { kind: 'data', channel: 0, bytes: Buffer.alloc(0) }],
    ['v4.base64.channel.k8s.io', '0not base64!', 'no base64', { kind: 'broken', why: 'a message that is not base64' }],
    ['v5.channel.k8s.io', '\u00FF\0', 'the end of stdin', { kind: 'close', channel: 0 }],
    ['v5.channel.k8s.io', '\u00FF', 'half of an end', { kind: 'broken', why: 'a close signal without a channel' }],
    [
      'v5.channel.k8s.io',
      '\u00FF\0\0',
      'more than an end',
      { kind: 'broken', why: 'a close signal without a channel' },
    ],
    [
      'v4.channel.k8s.io',
      '\u00FF\0',
      'a channel that there is not, where nothing closes',
      { kind: 'data', channel: 255, bytes: Buffer.from('\0') },
    ],
    ['v4.channel.k8s.io', '', 'nothing at all', { kind: 'nothing' }],
  ])('%s %j: %s', (protocol, message, _, expected) => {
    expect(readMessage(Buffer.from(message, 'latin1'), named(protocol))).toEqual(expected);
  });

  it('is read as it was written, by every protocol', () => {
    fc.assert(
      fc.property(fc.constantFrom(...commandProtocols), fc.nat(9), fc.uint8Array(), (protocol, channel, bytes) => {
        const message = formatMessage(channel, bytes, protocol);
        expect(typeof message === 'string').toBe(protocol.isBase64);
        expect(readMessage(Buffer.from(message), protocol)).toEqual({
          kind: 'data',
          channel,
          bytes: Buffer.from(bytes),
        });
      }),
    );
  });

  it('is at most 32 KiB', () => {
    expect([...piecesOf(Buffer.alloc(70_000))].map(({ length }) => length)).toEqual([32_768, 32_768, 4464]);
    expect([...piecesOf(Buffer.alloc(0))]).toEqual([]);
  });
});

describe('how it ended', () => {
  it.each([
    [{ kind: 'exited', code: 0 } as const, { metadata: {}, status: 'Success' }, ''],
    [
      { kind: 'exited', code: 7 } as const,
      {
        metadata: {},
        status: 'Failure',
        reason: 'NonZeroExitCode',
        message: 'command terminated with non-zero exit code: exit status 7',
        details: { causes: [{ reason: 'ExitCode', message: '7' }] },
      },
      'command terminated with non-zero exit code: exit status 7',
    ],
    [
      { kind: 'failed', message: 'no shell' } as const,
      {
        metadata: {},
        status: 'Failure',
        reason: 'InternalError',
        message: 'Internal error occurred: no shell',
        details: { causes: [{ message: 'no shell' }] },
        code: 500,
      },
      'Internal error occurred: no shell',
    ],
  ])('%j is a Status for new clients and a text for old ones', (outcome, status, text) => {
    expect(JSON.parse(commandStatus(outcome))).toEqual(status);
    expect(plainStatus(outcome)).toBe(text);
  });
});

describe('the sizes of a window', () => {
  const size = (width: unknown, height: unknown): string => JSON.stringify({ Width: width, Height: height });
  it.each([
    ['one', size(80, 24), [[80, 24]]],
    [
      'two in a row',
      `${size(80, 24)}\n${size(100, 30)}`,
      [
        [80, 24],
        [100, 30],
      ],
    ],
    ['none that is there yet', size(0, 0), []],
    ['none of this world', size(65_535, 65_535), []],
    ['what is no number', size('a', 24), []],
    ['what is no JSON', `}{{]${size(80, 24)}`, [[80, 24]]],
  ])('%s', (_, text, expected) => {
    const seen = new TerminalSizes().read(Buffer.from(text));
    expect(seen.map(({ columns, rows }) => [columns, rows])).toEqual(expected);
  });

  it('are read however they are cut; what has no end is not kept', () => {
    const all = Buffer.from(`${size(80, 24)}${size(100, 30)}`);
    fc.assert(
      fc.property(fc.nat(all.length), fc.nat(all.length), (a, b) => {
        const [first = 0, second = 0] = [a, b].toSorted((one, other) => one - other);
        const sizes = new TerminalSizes();
        const seen = [all.subarray(0, first), all.subarray(first, second), all.subarray(second)].flatMap((piece) =>
          sizes.read(piece),
        );
        expect(seen).toHaveLength(2);
      }),
    );
    const endless = new TerminalSizes();
    for (let count = 0; count < 100; count += 1) expect(endless.read(Buffer.alloc(1000, '{'))).toEqual([]);
  });

  it('of a window that is being dragged only the last waits for who asks', async () => {
    const queue = new SizeQueue();
    for (const width of [80, 81, 82]) queue.push(Buffer.from(size(width, 24)));
    expect(await queue.next()).toEqual({ columns: 82, rows: 24 });
    const later = queue.next();
    queue.end();
    expect(await later).toBeUndefined();
  });
});
