import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { Challenge } from '../../core/image/challenge.ts';
import type { RegistryLogin } from '../../ports/image-registry.ts';
import { parseTokenAnswer } from '../../wire/registry/answers.ts';
import { parseUrl } from '../../wire/url-text.ts';
import { registryFault } from './registry-faults.ts';
import type { RegistryHttp } from './registry-http.ts';

const maxTokenBytes = 65_536;

/** Who asks whom for what. */
export interface AuthorizationQuery {
  readonly challenge: Challenge;
  readonly repository: string;
  /** What a token is asked for where the registry does not say it. */
  readonly actions: 'pull' | 'pull,push';
  /** Undefined: nobody. */
  readonly login: RegistryLogin | undefined;
}

const basic = ({ username, password }: RegistryLogin): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/**
 * What meets a registry's challenge: the login itself, or a token of the authorization service that the registry names
 * (distribution specification, token authentication; one GET). Undefined: nobody needs a login, and there is none.
 */
export async function authorizationFor(
  http: RegistryHttp,
  { challenge, repository, actions, login }: AuthorizationQuery,
  signal: AbortSignal,
): Promise<Result<string | undefined>> {
  if (challenge.kind === 'basic') return ok(login === undefined ? undefined : basic(login));
  const url = parseUrl(challenge.realm);
  if (url === undefined)
    return fail({ kind: 'transient', message: 'the registry names an authorization service that is no URL' });
  url.searchParams.set('scope', challenge.scope ?? `repository:${repository}:${actions}`);
  if (challenge.service !== undefined) url.searchParams.set('service', challenge.service);
  const answer = await http(
    {
      action: 'token',
      method: 'GET',
      url,
      maxBytes: maxTokenBytes,
      ...(login !== undefined && { authorization: basic(login) }),
    },
    signal,
  );
  if (!answer.ok) return answer;
  if (answer.value.status !== 200) return fail(registryFault(answer.value, url.host, `a token for ${repository}`));
  const token = parseTokenAnswer(answer.value.body.toString('utf8'));
  return token === undefined
    ? fail({ kind: 'transient', message: `${url.host} answered no token for ${repository}` })
    : ok(`Bearer ${token}`);
}
