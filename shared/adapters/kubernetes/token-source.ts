import type { AccessToken } from '@azure/core-auth';
import type { ClusterRegistration } from '../../wire/settings.ts';
import type { KubernetesClientConfig } from './client.ts';

/** The audience of AKS-managed Entra integration; the same in every tenant of the public cloud. */
const aksScope = '6dae42f8-4368-4678-94ff-3960e28e3630/.default';

/** Where tokens of the app's identity come from. */
export interface IdentityTokens {
  getToken(scope: string): Promise<AccessToken | null>;
  /** After a refusal; the same again where there is no other. */
  getFreshToken(scope: string): Promise<AccessToken | null>;
}

export type TokenSource = Pick<KubernetesClientConfig, 'getToken' | 'tokenOrigin'>;

/**
 * Who the app is toward a cluster. After a refusal an identity may have another token; a setting is read once for each
 * process, so the same value comes again and is not tried again: whoever changes it starts a new process.
 */
export function createTokenSource(
  { auth }: Pick<ClusterRegistration, 'auth'>,
  {
    environment,
    credential,
  }: { readonly environment: Readonly<Record<string, string | undefined>>; readonly credential: IdentityTokens },
): TokenSource {
  if (auth.kind === 'token')
    return {
      getToken: () => Promise.resolve(environment[auth.setting] ?? ''),
      tokenOrigin: `the token is that of the setting ${auth.setting}: attach the cluster again to renew it`,
    };
  return {
    getToken: async (options) => {
      const token = await (options?.fresh === true
        ? credential.getFreshToken(aksScope)
        : credential.getToken(aksScope));
      if (token === null) throw new Error('the managed identity gave no token for the API server');
      return token.token;
    },
    tokenOrigin: "the token is that of the app's identity: does the cluster still take Entra tokens of this tenant?",
  };
}
