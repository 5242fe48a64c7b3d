import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/core-auth';

/** Who the app is toward Azure. */
export type CredentialSettings =
  /** The function app's managed identity: the system's, or a user-assigned one by its client id. */
  | { readonly kind: 'managed-identity'; readonly clientId?: string }
  /** Whoever is signed in on this machine (environment, Azure CLI…): for a laptop that uses the real Azure. */
  | { readonly kind: 'default' };

/**
 * A credential of @azure/identity that is loaded when the first token is asked for. Nothing is retried inside. App
 * Service's IDENTITY_ENDPOINT is plain http on loopback, which the SDK expects. Tokens are cached by the SDK.
 */
export function createCredential(settings: CredentialSettings): TokenCredential {
  let credential: Promise<TokenCredential> | undefined;
  return {
    getToken: async (scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken | null> => {
      credential ??= loadCredential(settings);
      const loaded = await credential;
      return loaded.getToken(scopes, options);
    },
  };
}

async function loadCredential(settings: CredentialSettings): Promise<TokenCredential> {
  const { DefaultAzureCredential, ManagedIdentityCredential } = await import('@azure/identity');
  const options = { retryOptions: { maxRetries: 0 } };
  if (settings.kind === 'default') return new DefaultAzureCredential(options);
  const identity = settings.clientId === undefined ? {} : { clientId: settings.clientId };
  return new ManagedIdentityCredential({ ...identity, ...options });
}
