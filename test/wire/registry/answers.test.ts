import { describe, expect, it } from 'vitest';
import { parseExchangeAnswer, parseRegistryError, parseTokenAnswer } from '../../../shared/wire/registry/answers.ts';
import { parseDigest } from '../../../shared/wire/registry/digest.ts';

describe('a token', () => {
  it.each<[string, unknown, string | undefined]>([
    ['by the name of the distribution specification', { token: 't.1', expires_in: 300 }, 't.1'],
    ['by the name of OAuth 2', { access_token: 't.2' }, 't.2'],
    ['by both names', { token: 't.1', access_token: 't.2' }, 't.1'],
    ['by one name, nothing by the other', { token: '', access_token: 't.2' }, 't.2'],
    ['that is none', { token: '' }, undefined],
    ['that would end a header', { token: 'a\r\nx: y' }, undefined],
    ['longer than any', { token: 'x'.repeat(12_001) }, undefined],
    ['in a list', ['token'], undefined],
  ])('%s', (_, body, token) => {
    expect(parseTokenAnswer(JSON.stringify(body))).toBe(token);
  });

  it('of Azure Container Registry is one for further tokens', () => {
    expect(parseExchangeAnswer(JSON.stringify({ refresh_token: 'r.1' }))).toBe('r.1');
    expect(parseExchangeAnswer('<html>')).toBeUndefined();
  });
});

describe("a registry's error", () => {
  it.each<[string, unknown, unknown]>([
    [
      'is reported by code and message',
      { errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown', detail: {} }, { code: 'X' }] },
      { code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' },
    ],
    ['may have no message', { errors: [{ code: 'DENIED' }] }, { code: 'DENIED', message: '' }],
    [
      'is one line',
      { errors: [{ code: 'DENIED', message: 'a\n\u001b[31mb\u2028c' }] },
      { code: 'DENIED', message: 'a [31mb c' },
    ],
    [
      'is cut',
      { errors: [{ code: 'DENIED', message: 'x'.repeat(1_000) }] },
      { code: 'DENIED', message: 'x'.repeat(200) },
    ],
    ['has a code that is a word', { errors: [{ code: '<b>' }] }, undefined],
    ['is at least one', { errors: [] }, undefined],
    ['is no page', '<html>', undefined],
  ])('%s', (_, body, error) => {
    expect(parseRegistryError(typeof body === 'string' ? body : JSON.stringify(body))).toEqual(error);
  });
});

describe('a digest in a header', () => {
  const sha256 = `sha256:${'0a'.repeat(32)}`;
  it.each<[string | undefined, string | undefined]>([
    [sha256, sha256],
    [` ${sha256} `, sha256],
    [`sha512:${'0a'.repeat(64)}`, `sha512:${'0a'.repeat(64)}`],
    [`sha256:${'0A'.repeat(32)}`, undefined],
    [`sha512:${'0a'.repeat(32)}`, undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s: %s', (header, digest) => {
    expect(parseDigest(header)).toBe(digest);
  });
});
