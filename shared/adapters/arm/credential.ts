import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/core-auth';
import { createFreshTokens } from './fresh-tokens.ts';
import { requestIdentityToken } from './identity-endpoint.ts';
import type { IdentityEndpoint } from './identity-endpoint.ts';

/** Who the app is toward Azure. */
export type CredentialSettings =
  /** The function app's managed identity: the system's, or a user-assigned one by its client id. */
  | {
      readonly kind: 'managed-identity';
      readonly clientId?: string;
      /** Where App Service gives its tokens; without it a refused token can't be replaced before it ends. */
      readonly endpoint?: IdentityEndpoint;
    }
  /** Whoever is signed in on this machine (environment, Azure CLI…): for a laptop that uses the real Azure. */
  | { readonly kind: 'default' };

/** A credential that can be informed that its token was refused. */
export interface AzureCredential extends TokenCredential {
  /**
   * A token past every cache of this process, at most one request in a minute for a scope; from then on `getToken` gives
   * it too, while it lives. It may be the one that was refused: Azure has caches of its own.
   */
  getFreshToken(scope: string): Promise<AccessToken | null>;
}

/**
 * A credential of @azure/identity that is loaded when the first token is asked for. Nothing is retried inside. App
 * Service's IDENTITY_ENDPOINT is plain http on loopback, which the SDK expects. Tokens are cached by the SDK.
 */
export function createCredential(settings: CredentialSettings): AzureCredential {
  let credential: Promise<TokenCredential> | undefined;
  const getToken = async (scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken | null> => {
    credential ??= loadCredential(settings);
    const loaded = await credential;
    return loaded.getToken(scopes, options);
  };
  return createFreshTokens({
    getToken,
    renewToken: async (scope) => {
      // A credential's cache dies with it; that of managed identities is the process's, so they are asked directly.
      credential = undefined;
      if (settings.kind === 'default' || settings.endpoint === undefined) return getToken(scope);
      return requestIdentityToken(settings.endpoint, scope, settings.clientId);
    },
    now: Date.now,
  });
}

async function loadCredential(settings: CredentialSettings): Promise<TokenCredential> {
  const { DefaultAzureCredential, ManagedIdentityCredential } = await import('@azure/identity');
  const options = { retryOptions: { maxRetries: 0 } };
  if (settings.kind === 'default') return new DefaultAzureCredential(options);
  const identity = settings.clientId === undefined ? {} : { clientId: settings.clientId };
  return new ManagedIdentityCredential({ ...identity, ...options });
}
