import { randomBytes } from 'node:crypto';
import type { Clock } from './clock.ts';
import { stableGuid } from './guid.ts';
import type { ArmRequest, ArmResponse, Json } from './json.ts';
import type { Principal } from './rbac.ts';

interface IssuedToken {
  readonly principal: Principal;
  readonly audience: string;
  readonly expiresAt: number;
}

/** Tokens that were given out. They look like JWTs, but only the registry makes them valid. */
export class TokenRegistry {
  readonly #clock: Clock;
  readonly #lifetimeSeconds: number;
  readonly #tokens = new Map<string, IssuedToken>();

  constructor(clock: Clock, lifetimeSeconds: number) {
    this.#clock = clock;
    this.#lifetimeSeconds = lifetimeSeconds;
  }

  issue(principal: Principal, audience: string): { readonly token: string; readonly expiresOn: number } {
    const now = Math.floor(this.#clock.now() / 1000);
    const expiresOn = now + this.#lifetimeSeconds;
    const claims = {
      aud: audience,
      iss: `https://sts.windows.net/${stableGuid('tenant')}/`,
      iat: now,
      nbf: now,
      exp: expiresOn,
      appid: principal.clientId,
      oid: principal.objectId,
      tid: stableGuid('tenant'),
    };
    const parts = [encode({ typ: 'JWT', alg: 'RS256' }), encode(claims), randomBytes(32).toString('base64url')];
    const token = parts.join('.');
    this.#tokens.set(token, { principal, audience, expiresAt: expiresOn * 1000 });
    return { token, expiresOn };
  }

  /** Who holds the token, if it is known, unexpired and meant for one of the audiences. */
  verify(token: string, isAudience: (audience: string) => boolean): Principal | undefined {
    const issued = this.#tokens.get(token);
    if (issued === undefined) return undefined;
    if (issued.expiresAt <= this.#clock.now()) {
      this.#tokens.delete(token);
      return undefined;
    }
    return isAudience(issued.audience) ? issued.principal : undefined;
  }

  /** Makes all tokens invalid. */
  clear(): void {
    this.#tokens.clear();
  }
}

function encode(value: Json): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** Reduces the ways of writing an audience (slash, `.default`) to one. */
export function normalizeAudience(audience: string): string {
  return audience
    .toLowerCase()
    .replace(/\.default$/, '')
    .replace(/\/+$/, '');
}

export interface IdentityEndpointOptions {
  readonly header: string;
  readonly principals: readonly Principal[];
  readonly tokens: TokenRegistry;
}

/**
 * The managed identity endpoint of App Service and Functions, version 2019-08-01: `GET ?resource=&api-version=
 * [&client_id=]` with `X-IDENTITY-HEADER`. Without `client_id` the first principal is meant.
 */
export function answerIdentity(request: ArmRequest, options: IdentityEndpointOptions): ArmResponse {
  const query = new URL(request.url, 'http://identity').searchParams;
  if (request.headers['x-identity-header'] !== options.header) return refuse(401, 'The identity header is invalid.');
  if (request.method !== 'GET') return refuse(405, 'Only GET is allowed.');
  if (query.get('api-version') !== '2019-08-01') return refuse(400, 'The api-version is not supported.');
  const resource = query.get('resource');
  if (resource === null || resource === '') return refuse(400, 'The resource parameter is required.');
  const clientId = query.get('client_id');
  const principal = options.principals.find((p) => clientId === null || p.clientId === clientId);
  if (principal === undefined) return refuse(400, 'No User Assigned or Delegated Managed Identity found.');
  const { token, expiresOn } = options.tokens.issue(principal, resource);
  return reply(200, {
    access_token: token,
    expires_on: String(expiresOn),
    resource,
    token_type: 'Bearer',
    client_id: principal.clientId,
  });
}

function refuse(statusCode: number, message: string): ArmResponse {
  return reply(statusCode, { statusCode, message });
}

function reply(status: number, body: Json): ArmResponse {
  return { status, headers: { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' }, body };
}
