import { isAcr } from '../../../shared/core/image/registry-endpoint.ts';
import type { Settings } from '../../../shared/wire/settings.ts';

/** What is in the way of container groups that are to pull from a registry; undefined: nothing that is known. Pure. */
export function pullRemark(registry: string, settings: Pick<Settings, 'REGISTRY_PULL_IDENTITIES'>): string | undefined {
  if (!isAcr(registry) || settings.REGISTRY_PULL_IDENTITIES[registry] !== undefined) return undefined;
  const [name = ''] = registry.split('.', 1);
  return `container groups have no identity that may pull from ${registry}\n  → attach --acr ${name}, or deploy infra/azure with containerRegistryId`;
}
