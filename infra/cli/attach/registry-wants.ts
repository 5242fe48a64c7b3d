import type { ParsedOptions } from '../options.ts';
import { wrongInput } from '../stop.ts';

/** A registry as the operator named it. */
export interface RegistryWants {
  readonly name: string;
  /** Of a resource id; a name alone is looked for in the app's subscription. */
  readonly place?: { readonly subscription: string; readonly resourceGroup: string };
}

const registryId =
  /^\/subscriptions\/([^/\s]+)\/resourceGroups\/([^/\s]+)\/providers\/Microsoft\.ContainerRegistry\/registries\/([a-z0-9]{5,50})$/i;

/** `--acr`, as often as it is given. Only Azure itself can be asked for a registry. */
export function parseRegistries(options: ParsedOptions): readonly RegistryWants[] {
  const names = options.list('acr');
  if (names.length > 0 && options.text('settings') !== undefined)
    throw wrongInput(
      '--acr asks Azure for the registry and the app, and --settings names a file',
      'name the app with --app and --resource-group, or write REGISTRY_PULL_IDENTITIES and REGISTRY_PULL_CLIENT_ID into the file (docs/settings.md)',
    );
  return names.map(parseRegistry);
}

function parseRegistry(text: string): RegistryWants {
  const [, subscription, resourceGroup, ofId] = registryId.exec(text) ?? [];
  if (subscription !== undefined && resourceGroup !== undefined && ofId !== undefined)
    return { name: ofId, place: { subscription, resourceGroup } };
  if (/^[a-z0-9]{5,50}$/i.test(text)) return { name: text };
  const [host = ''] = /^[a-z0-9]{5,50}(?=\.azurecr\.)/i.exec(text) ?? [];
  throw wrongInput(
    `--acr wants the name or the resource id of a registry, not "${text}"`,
    host === '' ? 'az acr list --query "[].id" shows the ids' : `write --acr ${host}`,
  );
}
