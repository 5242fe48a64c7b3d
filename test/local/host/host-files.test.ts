import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { defineFunction } from '../../../infra/local/host/definitions.ts';
import { parseHostJson, parseTimeSpan } from '../../../infra/local/host/host-json.ts';
import { isAuthorized, loadHostKeys } from '../../../infra/local/host/host-keys.ts';
import { setCookie, toHttpData, toResponse } from '../../../infra/local/host/http-mapping.ts';
import { logFilter } from '../../../infra/local/host/logs.ts';
import { isDisabled, readSettings, resolveSettings } from '../../../infra/local/host/settings.ts';
import { defined } from '../../../shared/core/defined.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'host-files-'));
afterAll(() => rmSync(dir, { recursive: true }));

describe('settings', () => {
  const file = path.join(dir, 'settings.json');

  it('are the Values, as text', () => {
    writeFileSync(file, '{"IsEncrypted":false,"Values":{"A":"x","B":5,"C":true},"Host":{}}');
    expect(readSettings(file)).toEqual({ A: 'x', B: '5', C: 'true' });
  });

  it.each(['', 'null', '{"IsEncrypted":true}', '{"Values":{"A":{}}}'])('cannot be %s', (text) => {
    writeFileSync(file, text);
    expect(() => readSettings(file)).toThrow(/settings\.json cannot be used/);
  });

  it('stand in for %NAME%, and a missing one is named', () => {
    expect(resolveSettings('a-%X%-b', (name) => (name === 'X' ? '1' : undefined))).toBe('a-1-b');
    expect(() => resolveSettings('%GONE%', () => undefined)).toThrow(/"GONE" is missing/);
  });

  it.each([
    [{ 'AzureWebJobs.f.Disabled': 'true' }, true],
    [{ AzureWebJobs__F__Disabled: '1' }, true],
    [{ 'AzureWebJobs.f.Disabled': 'false' }, false],
    [{ 'AzureWebJobs.g.Disabled': 'true' }, false],
  ])('%o disables f: %s', (env, disabled) => {
    expect(isDisabled('f', env)).toBe(disabled);
  });
});

describe('host.json', () => {
  it('has the defaults of the Flex plan', () => {
    expect(parseHostJson({ version: '2.0' })).toEqual({
      routePrefix: 'api',
      functionTimeoutMs: 1_800_000,
      logLevel: {},
      lockTimes: { periodMs: 60_000, pollMs: 60_000 },
    });
  });

  it.each([
    [{ listenerLockPeriod: '00:00:14' }, /listenerLockPeriod wants 15 s to a minute/],
    [{ listenerLockPeriod: '00:01:01' }, /listenerLockPeriod wants 15 s to a minute/],
    [{ listenerLockRecoveryPollingInterval: '00:00:05' }, /PollingInterval wants 15 s or more/],
  ])('does not start with %o', (singleton, fault) => {
    expect(() => parseHostJson({ singleton })).toThrow(fault);
  });

  it.each([
    ['00:05:00', 300_000],
    ['1.00:00:01', 86_401_000],
    ['-1', undefined],
  ])('%s is %s ms', (text, ms) => {
    expect(parseTimeSpan(text)).toBe(ms);
  });

  it('refuses a timeout that is none', () => {
    expect(() => parseHostJson({ functionTimeout: 'soon' })).toThrow(/no time span/);
  });
});

describe('keys', () => {
  const keys = loadHostKeys(path.join(dir, 'keys.json'));
  it('are made once and are nobody else’s to read', () => {
    expect(loadHostKeys(path.join(dir, 'keys.json'))).toEqual(keys);
    expect(statSync(path.join(dir, 'keys.json')).mode & 0o077).toBe(0);
  });

  it.each([
    ['anonymous', undefined, true],
    ['function', undefined, false],
    ['function', keys.functionKey, true],
    ['function', keys.masterKey, true],
    ['admin', keys.functionKey, false],
    ['admin', keys.masterKey, true],
    ['function', '', false],
  ] as const)('level %s', (level, given, allowed) => {
    expect(isAuthorized(level, given, keys)).toBe(allowed);
  });

  it('are not asked for when there are none', () => {
    expect(isAuthorized('admin', undefined, undefined)).toBe(true);
  });
});

describe('log levels', () => {
  const passes = logFilter({ default: 'Warning', Function: 'Error', 'Function.beat': 'Debug', 'Host.Startup': 'None' });
  it.each([
    ['Function.beat.User', 'debug', true],
    ['Function.beat.User', 'trace', false],
    ['Function.other', 'warning', false],
    ['Function.other', 'error', true],
    ['Worker', 'warning', true],
    ['Worker', 'information', false],
    ['Host.Startup', 'critical', false],
  ] as const)('%s at %s passes: %s', (category, level, expected) => {
    expect(passes(category, level)).toBe(expected);
  });
});

describe('a request', () => {
  const request = {
    method: 'POST',
    target: '/api/x?a=1&a=2&code=k',
    headers: [
      ['Host', 'localhost:7071'],
      ['X-MS-CLIENT-PRINCIPAL', 'forged'],
      ['X-Arr-ClientCert', 'forged'],
      ['Accept', 'a'],
      ['accept', 'b'],
    ] as const,
    body: new Uint8Array([1]),
    hasLength: true,
    host: '127.0.0.1:1',
  };

  it('reaches the worker with joined values and without the platform’s own headers', () => {
    expect(toHttpData(request, { id: '5' })).toEqual({
      http: {
        method: 'POST',
        url: 'http://localhost:7071/api/x?a=1&a=2&code=k',
        nullableHeaders: { host: { value: 'localhost:7071' }, accept: { value: 'a,b' } },
        nullableQuery: { a: { value: '1,2' }, code: { value: 'k' } },
        nullableParams: { id: { value: '5' } },
        body: { bytes: new Uint8Array([1]) },
      },
    });
  });

  it('has no body without a length', () => {
    expect(toHttpData({ ...request, hasLength: false }, {})).not.toHaveProperty('http.body');
  });
});

describe('an answer', () => {
  it('of nothing is an empty 204', () => {
    expect(toResponse(undefined)).toEqual({ status: 204, headers: [], body: new Uint8Array() });
  });

  it('leaves the framing to the front end', () => {
    const http = {
      statusCode: '418',
      headers: { 'Transfer-Encoding': 'chunked', 'x-a': 'b' },
      cookies: [{ name: 'c', value: 'd' }],
      body: { string: 'é' },
    };
    expect(toResponse({ http })).toEqual({
      status: 418,
      headers: [
        ['x-a', 'b'],
        ['set-cookie', 'c=d; path=/'],
      ],
      body: Buffer.from('é'),
      isChunked: true,
    });
  });

  it('sets all that a cookie can have', () => {
    const value = <T>(of: T): { value: T } => ({ value: of });
    const cookie = {
      name: 'n',
      value: 'v',
      domain: value('d'),
      path: value('/p'),
      expires: value({ seconds: 0 }),
      secure: value(true),
      maxAge: value(9),
      sameSite: 'explicitNone' as const,
    };
    expect(setCookie(cookie)).toBe(
      'n=v; expires=Thu, 01 Jan 1970 00:00:00 GMT; max-age=9; domain=d; path=/p; secure; samesite=none',
    );
  });
});

describe('a registered function', () => {
  const define = (binding: object, retryOptions?: string): unknown =>
    defineFunction({
      name: 'f',
      scriptFile: '',
      rawBindings: [JSON.stringify({ name: 'b', ...binding })],
      ...defined({ retryOptions }),
    });

  it.each([
    [
      'an empty route is its name',
      { type: 'httpTrigger', route: '' },
      { kind: 'http', route: 'f', methods: ['GET', 'POST'], authLevel: 'anonymous' },
    ],
    ['an unknown level asks for a key', { type: 'httpTrigger', authLevel: 'user' }, { authLevel: 'function' }],
    [
      'a timer is monitored unless given',
      { type: 'timerTrigger', schedule: '* * * * * *' },
      { kind: 'timer', useMonitor: true, runOnStartup: false },
    ],
    ['a queue needs the real host', { type: 'queueTrigger' }, { kind: 'unserved', triggerType: 'queueTrigger' }],
  ])('%s', (_sentence, binding, expected) => {
    expect(define(binding)).toMatchObject(expected);
  });

  it('without a trigger is refused', () => {
    expect(() => define({ type: 'queue' })).toThrow(/"f" has no trigger/);
  });

  it('repeats with doubling pauses up to the maximum', () => {
    const retry = {
      retryStrategy: 'exponentialBackoff',
      maxRetryCount: -1,
      minimumInterval: { seconds: 1 },
      maximumInterval: { seconds: 5 },
    };
    const defined = defineFunction({
      name: 'f',
      scriptFile: '',
      retryOptions: JSON.stringify(retry),
      rawBindings: ['{"type":"timerTrigger","name":"t","schedule":"* * * * * *"}'],
    });
    const policy = defined.kind === 'timer' ? defined.retry : undefined;
    expect(policy?.maxRetryCount).toBe(Number.POSITIVE_INFINITY);
    expect([1, 2, 3, 4].map((count) => policy?.delayMs(count))).toEqual([1000, 2000, 4000, 5000]);
  });
});
