import type { AccessToken, GetTokenOptions } from '@azure/core-auth';
import type { AzureCredential } from './credential.ts';

export interface TokenOrigin {
  /** By way of a cache. */
  readonly getToken: (scopes: string | string[], options?: GetTokenOptions) => Promise<AccessToken | null>;
  /** Past every cache. */
  readonly renewToken: (scope: string) => Promise<AccessToken | null>;
  readonly now: () => number;
}

interface Renewal {
  readonly atMs: number;
  readonly token: Promise<AccessToken | null>;
}

/** Many requests may be refused at once, and for long: the origin is asked once for all of them. */
const renewalPauseMs = 60_000;
/** As the SDK: a token is replaced before it ends. */
const marginMs = 300_000;

/** Puts a token that was asked for anew before the cached ones, which would still hold the refused one. */
export function createFreshTokens({ getToken, renewToken, now }: TokenOrigin): AzureCredential {
  const renewals = new Map<string, Renewal>();
  return {
    getToken: async (scopes, options) => {
      const renewal = typeof scopes === 'string' ? renewals.get(scopes) : undefined;
      const token = await renewal?.token.catch(() => null);
      return token && token.expiresOnTimestamp - marginMs > now() ? token : getToken(scopes, options);
    },
    getFreshToken: (scope) => {
      const last = renewals.get(scope);
      if (last !== undefined && now() - last.atMs < renewalPauseMs) return last.token;
      const renewal = { atMs: now(), token: renewToken(scope) };
      renewals.set(scope, renewal);
      return renewal.token;
    },
  };
}
