import * as z from 'zod';

const schema = z.object({ exp: z.number(), aud: z.union([z.string(), z.array(z.string())]) });

/** What a JWT says of itself, unverified: only good for refusing early. Undefined when it is no JWT. */
export function readTokenClaims(
  token: string,
): { readonly expiresAtMs: number; readonly audiences: readonly string[] } | undefined {
  const payload = token.split('.')[1] ?? '';
  try {
    const claims = schema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
    return { expiresAtMs: claims.exp * 1000, audiences: typeof claims.aud === 'string' ? [claims.aud] : claims.aud };
  } catch {
    return undefined;
  }
}
