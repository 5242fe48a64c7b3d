import { createCredential } from '../../shared/adapters/arm/credential.ts';
import type { TableStoreConfig } from '../../shared/adapters/tables/table-store.ts';
import { tableStorage } from '../../shared/wire/storage-settings.ts';
import type { Settings } from '../../shared/wire/settings.ts';

/** The app's tables, with the operator's own rights where no key is in the settings. */
export function tableConfig(settings: Settings): TableStoreConfig {
  const storage = tableStorage(settings);
  return storage.kind === 'identity'
    ? { tableEndpoint: storage.endpoint, credential: createCredential({ kind: 'default' }) }
    : storage;
}
