import { createHash } from 'node:crypto';
import { defined } from '../../core/defined.ts';
import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import { parseChallenge } from '../../core/image/challenge.ts';
import type { Challenge } from '../../core/image/challenge.ts';
import { isAcr, registryHost } from '../../core/image/registry-endpoint.ts';
import type { ImageQuery, RegistryLogin } from '../../ports/image-registry.ts';
import { parseUrl } from '../../wire/url-text.ts';
import { acrLogin } from './acr-login.ts';
import type { RegistryIdentity } from './acr-login.ts';
import { authorizationFor } from './authorization.ts';
import type { AuthorizationQuery } from './authorization.ts';
import type { RegistryAnswer } from './registry-faults.ts';
import type { RegistryHttp, RegistryRequest } from './registry-http.ts';

export interface SessionRequest extends Pick<RegistryRequest, 'action' | 'method' | 'accept' | 'content' | 'maxBytes'> {
  /** Below the repository: `manifests/latest`; with a slash at its front, and maybe a query, as the registry itself named it. */
  readonly path: string;
}

/** One request about a repository, by whoever of the query is let in. A fault only where there is no answer. */
export type RegistrySession = (
  query: ImageQuery,
  request: SessionRequest,
  signal: AbortSignal,
) => Promise<Result<RegistryAnswer>>;

const mostRemembered = 1_000;
/** A pod may name many pull secrets, and nobody should ask a registry for all of them. */
const mostLogins = 8;

/**
 * Asks as nobody first, and where a registry wants to know who asks, as each of the logins, the identity, and nobody
 * with a token. Who was let in is remembered, for the very same logins, until he is refused.
 */
export function createRegistrySession(http: RegistryHttp, identity: RegistryIdentity | undefined): RegistrySession {
  const known = new Map<string, string>();
  const remember = (key: string, authorization: string): void => {
    if (known.size >= mostRemembered) known.clear();
    known.set(key, authorization);
  };

  async function* candidates(
    { source: { registry }, logins }: ImageQuery,
    signal: AbortSignal,
  ): AsyncGenerator<Result<RegistryLogin | undefined>> {
    for (const login of logins.slice(0, mostLogins)) yield ok(login);
    if (identity !== undefined && isAcr(registry)) yield await acrLogin(http, { registry, identity }, signal);
    yield ok(undefined);
  }

  return async (query, { path, ...request }, signal) => {
    const { registry, repository } = query.source;
    const url = urlOf(query, path);
    if (url === undefined)
      return fail({ kind: 'rejected', code: 'InvalidRegistry', message: `${registry} is no host that can be asked` });
    const send = (authorization: string | undefined): Promise<Result<RegistryAnswer>> =>
      http({ ...request, url, ...defined({ authorization }) }, signal);
    const key = keyOf(query);
    const old = known.get(key);
    const again = old === undefined ? undefined : await send(old);
    if (again !== undefined && !isRefused(again)) return again;
    known.delete(key);
    const first = await send(undefined);
    if (!first.ok || first.value.status !== 401) return first;
    const challenge = challengeOf(first.value);
    if (challenge === undefined) return first;
    let refusal: Result<RegistryAnswer> | undefined;
    for await (const login of candidates(query, signal)) {
      const asked = await authorized(
        { http, challenge, repository, actions: actionsFor(request), login, send },
        signal,
      );
      if (asked === undefined) continue;
      if (!isRefused(asked.answer)) {
        if (asked.answer.ok && asked.authorization !== undefined) remember(key, asked.authorization);
        return asked.answer;
      }
      // Of several refusals that of the first login reports most.
      refusal ??= asked.answer;
    }
    return refusal ?? first;
  };
}

const actionsFor = ({ method }: Pick<SessionRequest, 'method'>): AuthorizationQuery['actions'] =>
  method === 'POST' || method === 'PUT' ? 'pull,push' : 'pull';

function urlOf({ source: { registry, repository } }: ImageQuery, path: string): URL | undefined {
  const below = path.startsWith('/') ? path : `/v2/${repository}/${path}`;
  return parseUrl(`https://${registryHost(registry)}${below}`);
}

interface Attempt extends Omit<AuthorizationQuery, 'login'> {
  readonly http: RegistryHttp;
  readonly login: Result<RegistryLogin | undefined>;
  readonly send: (authorization: string) => Promise<Result<RegistryAnswer>>;
}

/** Undefined: there is nothing to try that was not tried. */
async function authorized(
  { http, login, send, ...query }: Attempt,
  signal: AbortSignal,
): Promise<{ readonly answer: Result<RegistryAnswer>; readonly authorization?: string } | undefined> {
  if (!login.ok) return { answer: login };
  const authorization = await authorizationFor(http, { ...query, login: login.value }, signal);
  if (!authorization.ok) return { answer: authorization };
  if (authorization.value === undefined) return undefined;
  return { answer: await send(authorization.value), authorization: authorization.value };
}

const isRefused = (answer: Result<RegistryAnswer>): boolean =>
  answer.ok ? answer.value.status === 401 || answer.value.status === 403 : answer.fault.kind === 'denied';

/** Who was only redirected to gets no login that is the registry's. */
function challengeOf({ headers, isElsewhere }: RegistryAnswer): Challenge | undefined {
  const text = headers['www-authenticate'];
  return text === undefined || isElsewhere ? undefined : parseChallenge(text);
}

/** By hash: a map's keys end up in dumps of memory. */
const keyOf = ({ source: { registry, repository }, logins }: ImageQuery): string =>
  createHash('sha256')
    .update(JSON.stringify([registry, repository, logins]))
    .digest('hex');
