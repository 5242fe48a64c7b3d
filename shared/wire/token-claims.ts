import * as z from 'zod';
import { parseJson } from './json-text.ts';

const audienceClaims = z.object({ exp: z.number(), aud: z.union([z.string(), z.array(z.string())]) });
const timeClaims = z.object({ exp: z.number(), iat: z.number() });

/** What a JWT says of itself, unverified: only good for refusing early. Undefined when it is no JWT. */
export function readTokenClaims(
  token: string,
): { readonly expiresAtMs: number; readonly audiences: readonly string[] } | undefined {
  const claims = audienceClaims.safeParse(readPayload(token));
  if (!claims.success) return undefined;
  const { exp, aud } = claims.data;
  return { expiresAtMs: exp * 1000, audiences: typeof aud === 'string' ? [aud] : aud };
}

/** Seconds from a JWT's issue to its end, as it says itself; undefined when it is no JWT. */
export function readTokenLifetime(token: string): number | undefined {
  const claims = timeClaims.safeParse(readPayload(token));
  return claims.success ? claims.data.exp - claims.data.iat : undefined;
}

const readPayload = (token: string): unknown =>
  parseJson(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
