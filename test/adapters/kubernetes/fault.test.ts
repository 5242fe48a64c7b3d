import { describe, expect, it } from 'vitest';
import { toFault } from '../../../shared/adapters/kubernetes/fault.ts';
import { statusBody } from './canned-server.ts';

const date = 'Mon, 23 Nov 2026 11:00:00 GMT';

describe('an answer of the API server becomes a fault', () => {
  it.each([
    [400, 'BadRequest', { kind: 'rejected', code: 'BadRequest' }],
    [401, 'Unauthorized', { kind: 'denied', code: 'Unauthorized' }],
    [403, 'Forbidden', { kind: 'denied', code: 'Forbidden' }],
    [404, 'NotFound', { kind: 'not-found', code: 'NotFound' }],
    [405, 'MethodNotAllowed', { kind: 'rejected', code: 'MethodNotAllowed' }],
    [408, 'Timeout', { kind: 'transient' }],
    [409, 'AlreadyExists', { kind: 'conflict', code: 'AlreadyExists' }],
    [409, 'Conflict', { kind: 'conflict', code: 'Conflict' }],
    [410, 'Expired', { kind: 'conflict', code: 'Expired' }],
    [410, 'Gone', { kind: 'conflict', code: 'Expired' }],
    [412, '', { kind: 'conflict', code: 'Conflict' }],
    [415, '', { kind: 'rejected', code: 'HTTP415' }],
    [422, 'Invalid', { kind: 'rejected', code: 'Invalid' }],
    [429, 'TooManyRequests', { kind: 'throttled', retryAfterMs: 1000 }],
    [500, 'InternalError', { kind: 'transient' }],
    [503, 'ServiceUnavailable', { kind: 'transient' }],
    [504, 'Timeout', { kind: 'transient' }],
    [302, '', { kind: 'transient' }],
    [0, '', { kind: 'transient' }],
  ])('%i %s', (status, reason, expected) => {
    const fault = toFault({ status, body: JSON.stringify(statusBody(status, reason, 'a sentence')) });
    expect(fault).toStrictEqual({ ...expected, message: 'a sentence' });
  });

  it.each([
    ['seconds', '7', date, 7000],
    ['parts of a second are rounded up', '0.0005', date, 1],
    ['zero', '0', date, 0],
    ['a date, measured by the server’s own', 'Mon, 23 Nov 2026 11:00:30 GMT', date, 30_000],
    ['a date that is past', 'Mon, 23 Nov 2026 10:00:00 GMT', date, 0],
    ['a date without a date to measure by', 'Mon, 23 Nov 2026 11:00:30 GMT', undefined, 1000],
    ['a date that never comes', 'Fri, 31 Dec 9999 23:59:59 GMT', date, 600_000],
    ['a number that never ends', '9'.repeat(400), date, 600_000],
    ['words', 'later', date, 1000],
    ['a negative number', '-3', date, 1000],
    ['nothing', undefined, date, 1000],
  ])('429 with Retry-After of %s', (_, retryAfter, date, retryAfterMs) => {
    expect(toFault({ status: 429, body: 'Too many requests', retryAfter, date })).toMatchObject({
      kind: 'throttled',
      retryAfterMs,
    });
  });

  it('429 takes retryAfterSeconds of the Status where there is no header', () => {
    const body = JSON.stringify({ ...statusBody(429, 'TooManyRequests'), details: { retryAfterSeconds: 4 } });
    expect(toFault({ status: 429, body })).toMatchObject({ retryAfterMs: 4000 });
  });

  it.each([400, 404, 409, 410, 422])('%i that carries no Status is somebody else’s, a proxy’s: transient', (status) => {
    for (const body of ['<html>not here</html>', '{}', '', '{"kind":"Status"', '[]', 'null'])
      expect(toFault({ status, body }).kind).toBe('transient');
  });

  it.each([
    [401, 'denied'],
    [403, 'denied'],
    [429, 'throttled'],
  ])('%i speaks by its code alone', (status, kind) => {
    expect(toFault({ status, body: '<html>' }).kind).toBe(kind);
  });

  it('429 with an endless retryAfterSeconds is a matter of ten minutes', () => {
    const body = JSON.stringify({ ...statusBody(429, 'TooManyRequests'), details: { retryAfterSeconds: 1e308 } });
    expect(toFault({ status: 429, body })).toMatchObject({ retryAfterMs: 600_000 });
  });

  it('reasons are cut at 500 characters', () => {
    const fault = toFault({ status: 422, body: JSON.stringify(statusBody(422, 'X'.repeat(9000))) });
    expect('code' in fault && fault.code.length).toBe(500);
  });

  it('messages are cut at 500 characters', () => {
    expect(
      toFault({ status: 422, body: JSON.stringify(statusBody(422, 'Invalid', 'x'.repeat(9000))) }).message,
    ).toHaveLength(500);
  });
});
