import { createHash } from 'node:crypto';
import type { ClusterDeps } from './deps.ts';
import { readTokenClaims } from '../wire/token-claims.ts';

export type RelayIdentity =
  | { readonly kind: 'relay' }
  /** 401: no token, a wrong audience, an expired or an unknown one. */
  | { readonly kind: 'unauthenticated'; readonly message: string }
  /** 403: a valid token of somebody else. */
  | { readonly kind: 'forbidden'; readonly message: string }
  /** 503: the cluster could not be asked. */
  | { readonly kind: 'unavailable'; readonly message: string };

const rememberMs = 120_000;
const rememberRefusalMs = 30_000;
const mostRemembered = 500;
const remembered = new Map<string, { readonly until: number; readonly identity: RelayIdentity }>();

/**
 * Who calls: expiry and audience of the token first (free), then TokenReview by *that* cluster, then the account's name.
 * Answers are remembered for two minutes, refusals for half a minute, never past the token's own end. `now` in ms.
 */
export async function authenticateRelay(
  cluster: ClusterDeps,
  authorization: string | undefined,
  now: number,
  signal: AbortSignal,
): Promise<RelayIdentity> {
  const token = bearerToken(authorization);
  if (token === undefined)
    return { kind: 'unauthenticated', message: 'send the relay\'s ServiceAccount token as "Authorization: Bearer …"' };
  const { audience, serviceAccount } = cluster.registration.relay;
  const claims = readTokenClaims(token);
  if (claims === undefined || !claims.audiences.includes(audience))
    return { kind: 'unauthenticated', message: `the token's audience must be "${audience}"` };
  if (claims.expiresAtMs <= now) return { kind: 'unauthenticated', message: 'the token has expired' };
  const key = createHash('sha256').update(`${cluster.registration.uid}\n${token}`).digest('base64');
  const known = remembered.get(key);
  if (known !== undefined && known.until > now) return known.identity;
  const identity = await review(cluster, token, signal);
  if (identity.kind !== 'unavailable')
    remember(
      key,
      {
        identity,
        until: Math.min(claims.expiresAtMs, now + (identity.kind === 'relay' ? rememberMs : rememberRefusalMs)),
      },
      now,
    );
  return identity;

  async function review(asked: ClusterDeps, bearer: string, end: AbortSignal): Promise<RelayIdentity> {
    const reviewed = await asked.api.reviewToken(bearer, audience, end);
    if (!reviewed.ok)
      return { kind: 'unavailable', message: 'the cluster could not be asked about the token; try again' };
    if (reviewed.value === undefined)
      return { kind: 'unauthenticated', message: 'the cluster does not know the token' };
    if (reviewed.value.username !== `system:serviceaccount:${serviceAccount}`)
      return { kind: 'forbidden', message: `only the ServiceAccount ${serviceAccount} may call` };
    return { kind: 'relay' };
  }
}

/** Whether a caller shows what could be a token, not yet expired; free, and true of many a forgery. */
export function mayBeToken(authorization: string | undefined, now: number): boolean {
  const claims = readTokenClaims(bearerToken(authorization) ?? '');
  return claims !== undefined && claims.expiresAtMs > now;
}

const bearerToken = (authorization: string | undefined): string | undefined =>
  /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(authorization ?? '')?.[1];

function remember(key: string, entry: { readonly until: number; readonly identity: RelayIdentity }, now: number): void {
  if (remembered.size >= mostRemembered) {
    for (const [old, value] of remembered) if (value.until <= now) remembered.delete(old);
    const [oldest] = remembered.keys();
    if (remembered.size >= mostRemembered && oldest !== undefined) remembered.delete(oldest);
  }
  remembered.set(key, entry);
}
