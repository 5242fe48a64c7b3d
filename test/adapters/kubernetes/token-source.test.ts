import { describe, expect, it } from 'vitest';
import { createTokenSource } from '../../../shared/adapters/kubernetes/token-source.ts';

const give = (token: string) => async () => ({ token, expiresOnTimestamp: 0 });
const surroundings = {
  environment: { PROD_TOKEN: 'from-the-setting' },
  credential: { getToken: give('cached'), getFreshToken: give('fresh') },
};

describe("the app's token for a cluster", () => {
  it('of an identity is another one after a refusal', async () => {
    const { getToken } = createTokenSource({ auth: { kind: 'entra' } }, surroundings);
    expect([await getToken(), await getToken({ fresh: false }), await getToken({ fresh: true })]).toEqual([
      'cached',
      'cached',
      'fresh',
    ]);
  });

  it('of a setting is the same, and the setting is named', async () => {
    const source = createTokenSource({ auth: { kind: 'token', setting: 'PROD_TOKEN' } }, surroundings);
    expect([await source.getToken(), await source.getToken({ fresh: true })]).toEqual([
      'from-the-setting',
      'from-the-setting',
    ]);
    expect(source.tokenOrigin).toContain('setting PROD_TOKEN');
    expect(source.tokenOrigin).not.toContain('from-the-setting');
  });
});
