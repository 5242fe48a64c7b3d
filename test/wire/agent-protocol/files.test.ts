import { describe, expect, it } from 'vitest';
import { formatFilesAnswer, parseFilesRequest } from '../../../shared/wire/agent-protocol/files.ts';
import { formatDrain, parseStatusAnswer, parseWordAnswer } from '../../../shared/wire/agent-protocol/word-answer.ts';

const request = {
  schemaVersion: 1,
  podUid: 'u',
  nonce: 'n',
  kid: 'r1',
  container: 'web',
  bootId: '019ad1c0ffee-9f86d081',
  sentAt: '2026-11-30T10:00:00.123Z',
  volumes: [{ name: 'conf' }, { name: 'keys', revision: 'x.y' }],
};

describe('what an agent asks for files with', () => {
  it('is read as it is', () => expect(parseFilesRequest(JSON.stringify(request))).toEqual(request));
  it.each<[string, unknown]>([
    ['text', 'x'],
    ['nothing', null],
    ['a list', [request]],
    ['a member too many', { ...request, more: 1 }],
    ['a volume with a member too many', { ...request, volumes: [{ name: 'conf', path: '/' }] }],
    ['a number for a name', { ...request, container: 1 }],
    ['no container', { ...request, container: '' }],
    ['another version', { ...request, schemaVersion: 2 }],
    ['a revision that is none', { ...request, volumes: [{ name: 'conf', revision: null }] }],
    ['too many volumes', { ...request, volumes: Array.from({ length: 65 }, () => ({ name: 'v' })) }],
  ])('%s is refused', (_, value) => expect(parseFilesRequest(JSON.stringify(value))).toBeUndefined());
  it('half of it is refused', () => expect(parseFilesRequest(JSON.stringify(request).slice(1))).toBeUndefined());
});

it('an answer has bytes as base64, and modes as numbers', () =>
  expect(
    JSON.parse(
      formatFilesAnswer([
        { name: 'conf', revision: 'r', files: [{ path: 'a/b', mode: 0o644, content: new Uint8Array([0, 255]) }] },
      ]),
    ),
  ).toEqual({ volumes: [{ name: 'conf', revision: 'r', files: [{ path: 'a/b', mode: 420, data: 'AP8=' }] }] }));

describe('a line of a terminal', () => {
  it.each<[string, unknown]>([
    ['{"ok":true}', { ok: true }],
    ['{"ok":true,"message":"m"}', { ok: true, message: 'm' }],
    ['{"ok":false,"message":"m"}', { ok: false, message: 'm' }],
    ['{"ok":false}', { ok: false, message: '' }],
    ['{"graceSeconds":30}', undefined],
    ['{"ok":1}', undefined],
    ['# ', undefined],
  ])('%s', (line, answer) => expect(parseWordAnswer(line)).toEqual(answer));

  it('a long message is cut', () =>
    expect(parseWordAnswer(JSON.stringify({ ok: false, message: 'x'.repeat(5000) }))).toEqual({
      ok: false,
      message: 'x'.repeat(1024),
    }));

  it.each<[string, unknown]>([
    [
      '{"ok":true,"status":{"bootId":"b","state":{"phase":"parked"}}}',
      { ok: true, status: { bootId: 'b', phase: 'parked' } },
    ],
    ['{"ok":true,"status":{"bootId":"b","state":{"phase":"flies"}}}', undefined],
    ['{"ok":true}', undefined],
    [
      '{"ok":false,"message":"no agent stays in this container"}',
      { ok: false, message: 'no agent stays in this container' },
    ],
  ])('a status: %s', (line, answer) => expect(parseStatusAnswer(line)).toEqual(answer));

  it.each([
    [30, '{"graceSeconds":30}'],
    [1.9, '{"graceSeconds":1}'],
    [-5, '{"graceSeconds":0}'],
  ])('a drain of %d s is %s', (graceSeconds, line) => expect(formatDrain({ graceSeconds })).toBe(line));
});
