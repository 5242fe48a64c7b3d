import { describe, expect, it } from 'vitest';
import {
  argvOf,
  formatAgentRequest,
  isBegun,
  parseAgentExit,
  parseAgentFault,
  parseAgentHello,
} from '../../shared/wire/agent-session.ts';

const common = { nonce: 'n', stdin: true, tty: false, size: { rows: 24, columns: 80 }, keepAliveSeconds: 30 } as const;
const lineOf = (...request: Parameters<typeof formatAgentRequest>): unknown => {
  const text = formatAgentRequest(...request)?.toString() ?? '';
  expect(text.endsWith('\n') && !text.slice(0, -1).includes('\n')).toBe(true);
  return JSON.parse(text);
};

describe('the line that is sent to the agent', () => {
  it('has the words of a command as they are', () =>
    expect(lineOf({ kind: 'command', argv: ['sh', 'a\nb', '', 'é'], ...common })).toEqual({
      nonce: 'n',
      argv: ['sh', 'a\nb', '', 'é'],
      stdin: true,
      tty: false,
      rows: 24,
      cols: 80,
      keepAliveSeconds: 30,
    }));

  it('asks for the program of the container, or for ports', () => {
    expect(lineOf({ kind: 'attach', ...common })).toMatchObject({ attach: true, stdin: true });
    expect(lineOf({ kind: 'ports', nonce: 'n', keepAliveSeconds: 3 })).toEqual({ nonce: 'n', keepAliveSeconds: 3 });
  });

  it('is no longer than the agent reads', () => {
    const argv = (length: number) => ['x'.repeat(length)];
    expect(formatAgentRequest({ kind: 'command', argv: argv(1_000_000), ...common })).toBeDefined();
    expect(formatAgentRequest({ kind: 'command', argv: argv(1_100_000), ...common })).toBeUndefined();
  });

  it.each([
    [['a', '', 'é😀', '\uFEFFb'].map((word) => Buffer.from(word)), ['a', '', 'é😀', '\uFEFFb']],
    [[Buffer.from([0xff])], undefined],
    [[Buffer.from('a\0b')], undefined],
  ])('%j are words that JSON can say: %j', (words, expected) => expect(argvOf(words)).toEqual(expected));
});

describe('what the agent says', () => {
  it.each([
    ['{"version":1,"window":65536}', { version: 1, window: 65_536 }],
    ['{"version":1,"window":65536,"more":true}', { version: 1, window: 65_536 }],
    ['{"version":2,"window":65536}', undefined],
    ['{"version":1,"window":1}', undefined],
    ['{"version":1,"window":1e12}', undefined],
    ['', undefined],
    ['garbage', undefined],
  ])('the hello %s is %j', (json, expected) => expect(parseAgentHello(json)).toEqual(expected));

  it.each([
    ['{"exitCode":0}', { exitCode: 0 }],
    ['{"exitCode":137,"signal":9}', { exitCode: 137, signal: 9 }],
    ['{"exitCode":-1}', undefined],
    ['{"exitCode":"0"}', undefined],
    ['{}', undefined],
    ['\u00FF', undefined],
  ])('the end %s is %j', (json, expected) => expect(parseAgentExit(Buffer.from(json))).toEqual(expected));

  it('a beginning is that of this nonce', () => {
    const payload = Buffer.from('{"nonce":"n","pid":7}');
    expect([isBegun(payload, 'n'), isBegun(payload, 'm'), isBegun(Buffer.from('{"nonce":"n"}'), 'n')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('a fault has a message', () => {
    expect(parseAgentFault(Buffer.from('{"reason":"StartError","message":"m"}'))).toEqual({
      reason: 'StartError',
      message: 'm',
    });
    expect(parseAgentFault(Buffer.from('{}'))).toBeUndefined();
  });
});
