import { readRegistryAuthority } from '../../../shared/adapters/arm/authority-file.ts';
import { createCredential } from '../../../shared/adapters/arm/credential.ts';
import { createRegistryHttp } from '../../../shared/adapters/registry/registry-http.ts';
import { createRegistrySession } from '../../../shared/adapters/registry/registry-session.ts';
import { defined } from '../../../shared/core/defined.ts';
import { mappedOrigin, registryHost } from '../../../shared/core/image/registry-endpoint.ts';
import type { Settings } from '../../../shared/wire/settings.ts';
import { wrongInput } from '../stop.ts';
import type { PushRun } from './push-image.ts';

/** A layer of some megabytes, over a slow line. */
const requestTimeoutMs = 120_000;

/** What the app's settings say of how registries are reached. */
export type RegistrySettings = Pick<Settings, 'REGISTRY_ENDPOINTS' | 'REGISTRY_CERTIFICATE_AUTHORITY_FILE'>;

/**
 * Speaks to a registry that the operator named, as the operator: with the login of az where it is one of Azure. Whatever its
 * address is; plain http only where REGISTRY_ENDPOINTS says so. Asks nobody yet.
 */
export function registryRun(
  registry: string,
  settings: RegistrySettings,
  run: Pick<PushRun, 'signal' | 'report'>,
): PushRun {
  const authority = readRegistryAuthority(settings);
  if (!authority.ok) throw wrongInput(`${authority.fault.name}: ${authority.fault.expected}`);
  const http = createRegistryHttp({
    endpoints: settings.REGISTRY_ENDPOINTS,
    userAgent: 'serverless-kubelet',
    anyAddress: true,
    requestTimeoutMs,
    ...defined({ caPem: authority.pem }),
  });
  const session = createRegistrySession(http, {
    credential: createCredential({ kind: 'default' }),
    name: 'your login of Azure',
  });
  return { session, mappedTo: mappedOrigin(registryHost(registry), settings.REGISTRY_ENDPOINTS), ...run };
}
