import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createCredential } from '../../../shared/adapters/arm/credential.ts';
import { createFreshTokens } from '../../../shared/adapters/arm/fresh-tokens.ts';

const scope = 'https://example.invalid/.default';
const hourMs = 3_600_000;

describe('a token that was refused', () => {
  /** An origin whose cache holds `cached` and that gives `fresh-1`, `fresh-2` … past it. */
  const withOrigin = () => {
    const clock = { now: 1_000_000 };
    let renewed = 0;
    let isDown = false;
    const tokens = createFreshTokens({
      getToken: async () => ({ token: 'cached', expiresOnTimestamp: clock.now + hourMs }),
      renewToken: async () => {
        if (isDown) throw new Error('down');
        renewed += 1;
        return { token: `fresh-${renewed}`, expiresOnTimestamp: clock.now + hourMs };
      },
      now: () => clock.now,
    });
    const get = async (): Promise<string | undefined> => (await tokens.getToken(scope))?.token;
    const fresh = async (): Promise<string | undefined> => (await tokens.getFreshToken(scope))?.token;
    return { clock, tokens, get, fresh, break: (down: boolean) => (isDown = down) };
  };

  it('is replaced past the cache, for everybody who asks from then on, until the new one is about to end', async () => {
    const { clock, get, fresh } = withOrigin();
    expect(await get()).toBe('cached');
    expect(await fresh()).toBe('fresh-1');
    expect(await get()).toBe('fresh-1');
    clock.now += hourMs - 300_001;
    expect(await get()).toBe('fresh-1');
    clock.now += 1;
    expect(await get()).toBe('cached');
  });

  it('is replaced once for all who are refused in the same minute', async () => {
    const { clock, fresh } = withOrigin();
    expect(await Promise.all([fresh(), fresh()])).toEqual(['fresh-1', 'fresh-1']);
    clock.now += 59_999;
    expect(await fresh()).toBe('fresh-1');
    clock.now += 1;
    expect(await fresh()).toBe('fresh-2');
  });

  it('stays where no other comes, and is asked for again after a minute', async () => {
    const { clock, get, fresh, ...origin } = withOrigin();
    origin.break(true);
    await expect(fresh()).rejects.toThrow('down');
    expect(await get()).toBe('cached');
    origin.break(false);
    clock.now += 60_000;
    expect(await fresh()).toBe('fresh-1');
  });

  it('of another scope is not replaced', async () => {
    const { tokens, fresh } = withOrigin();
    await fresh();
    expect((await tokens.getToken('https://other.invalid/.default'))?.token).toBe('cached');
  });
});

describe('the identity endpoint', () => {
  const listen = async (answer: (request: IncomingMessage) => object | undefined) => {
    const server = createServer((request, response) => {
      const body = answer(request);
      response.writeHead(body === undefined ? 500 : 200).end(JSON.stringify(body ?? { message: 'a secret' }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const url = `http://127.0.0.1:${port}/msi/token`;
    return { url, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) };
  };

  it('is asked as App Service wants it', async () => {
    let asked = '';
    await using server = await listen(({ url, headers }) => {
      asked = `${url} ${String(headers['x-identity-header'])}`;
      return { access_token: 'from-there', expires_on: '2000000000', resource: 'r', token_type: 'Bearer' };
    });
    const credential = createCredential({
      kind: 'managed-identity',
      clientId: 'c1',
      endpoint: { url: server.url, header: 'h1' },
    });
    expect(await credential.getFreshToken(scope)).toEqual({
      token: 'from-there',
      expiresOnTimestamp: 2_000_000_000_000,
    });
    expect(asked).toBe('/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fexample.invalid&client_id=c1 h1');
    expect((await credential.getToken(scope))?.token).toBe('from-there');
  });

  it('that gives none is not quoted', async () => {
    await using server = await listen(() => undefined);
    const endpoint = { url: server.url, header: 'h1' };
    const credential = createCredential({ kind: 'managed-identity', endpoint });
    await expect(credential.getFreshToken(scope)).rejects.toThrow(/^the identity endpoint gave no token \(500\)$/);
  });
});
