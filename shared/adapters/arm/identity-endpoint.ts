import type { AccessToken } from '@azure/core-auth';
import * as z from 'zod';

/** `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` of App Service. */
export interface IdentityEndpoint {
  readonly url: string;
  readonly header: string;
}

const requestTimeoutMs = 8_000;
const answerSchema = z.object({ access_token: z.string().min(1), expires_on: z.coerce.number().positive() });

/**
 * A token of the managed identity from App Service itself. @azure/identity has no way past its cache: that is one for
 * the whole process, and claims are not handed on. The protocol:
 * https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference. Rejects when no token
 * comes, without a word of the answer.
 */
export async function requestIdentityToken(
  { url, header }: IdentityEndpoint,
  scope: string,
  clientId: string | undefined,
): Promise<AccessToken> {
  const asked = new URL(url);
  asked.searchParams.set('api-version', '2019-08-01');
  asked.searchParams.set('resource', scope.replace(/\/\.default$/, ''));
  if (clientId !== undefined) asked.searchParams.set('client_id', clientId);
  const response = await fetch(asked, {
    headers: { 'x-identity-header': header },
    redirect: 'error',
    signal: AbortSignal.timeout(requestTimeoutMs),
  });
  const parsed = answerSchema.safeParse(response.ok ? await response.json() : undefined);
  if (!parsed.success) throw new Error(`the identity endpoint gave no token (${response.status})`);
  return { token: parsed.data.access_token, expiresOnTimestamp: parsed.data.expires_on * 1000 };
}
