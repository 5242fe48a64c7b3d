import type { TokenCredential } from '@azure/core-auth';
import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { RegistryLogin } from '../../ports/image-registry.ts';
import { parseExchangeAnswer } from '../../wire/registry/answers.ts';
import { errorName } from '../kubernetes/client.ts';
import { untilAborted } from '../kubernetes/deadline.ts';
import { registryFault } from './registry-faults.ts';
import type { RegistryHttp } from './registry-http.ts';

const scope = 'https://containerregistry.azure.net/.default';
/** The user of a refresh token, as `az acr login --expose-token` names it. */
const username = '00000000-0000-0000-0000-000000000000';
const maxBytes = 65_536;

/** Whose Entra token a registry of Azure is shown. */
export interface RegistryIdentity {
  readonly credential: TokenCredential;
  /** For messages: `the pull identity`. */
  readonly name: string;
}

/**
 * A login of Azure Container Registry for an identity that has AcrPull there, or AcrPush: its Entra token, exchanged at the
 * registry for a refresh token. One POST, and the identity's token.
 */
export async function acrLogin(
  http: RegistryHttp,
  { registry, identity }: { readonly registry: string; readonly identity: RegistryIdentity },
  signal: AbortSignal,
): Promise<Result<RegistryLogin>> {
  const token = await entraToken(identity, signal);
  if (!token.ok) return token;
  const form = new URLSearchParams({ grant_type: 'access_token', service: registry, access_token: token.value });
  const content = { type: 'application/x-www-form-urlencoded', bytes: Buffer.from(form.toString()) };
  const url = new URL(`https://${registry}/oauth2/exchange`);
  const answer = await http({ action: 'exchange', method: 'POST', url, content, maxBytes }, signal);
  if (!answer.ok) return answer;
  if (answer.value.status !== 200) return fail(registryFault(answer.value, registry, `a login of ${identity.name}`));
  const password = parseExchangeAnswer(answer.value.body.toString('utf8'));
  return password === undefined
    ? fail({ kind: 'transient', message: `${registry} answered no login for ${identity.name}` })
    : ok({ username, password });
}

async function entraToken({ credential, name }: RegistryIdentity, signal: AbortSignal): Promise<Result<string>> {
  try {
    const token = await untilAborted(credential.getToken(scope, { abortSignal: signal }), signal);
    if (token !== null) return ok(token.token);
    return fail({ kind: 'denied', code: 'NoToken', message: `no token of ${name} could be got` });
  } catch (error) {
    const message = `no token of ${name} could be got: ${errorName(error)}`;
    return fail(signal.aborted ? { kind: 'transient', message } : { kind: 'denied', code: 'NoToken', message });
  }
}
