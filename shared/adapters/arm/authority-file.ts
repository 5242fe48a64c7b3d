import { readFileSync } from 'node:fs';
import type { SettingFault } from '../../wire/setting-fault.ts';
import type { Settings } from '../../wire/settings.ts';

type Authority =
  | { readonly ok: true; readonly pem: string | undefined }
  | { readonly ok: false; readonly fault: SettingFault };

type FileSetting = 'ARM_CERTIFICATE_AUTHORITY_FILE' | 'REGISTRY_CERTIFICATE_AUTHORITY_FILE';

/** The CA that ARM's certificate is from, where a setting names its file; or that the file can't be read. */
export const readAuthority = (settings: Pick<Settings, 'ARM_CERTIFICATE_AUTHORITY_FILE'>): Authority =>
  readPem('ARM_CERTIFICATE_AUTHORITY_FILE', settings.ARM_CERTIFICATE_AUTHORITY_FILE);

/** As {@link readAuthority}, of registries of images. */
export const readRegistryAuthority = (settings: Pick<Settings, 'REGISTRY_CERTIFICATE_AUTHORITY_FILE'>): Authority =>
  readPem('REGISTRY_CERTIFICATE_AUTHORITY_FILE', settings.REGISTRY_CERTIFICATE_AUTHORITY_FILE);

function readPem(name: FileSetting, file: string | undefined): Authority {
  try {
    return { ok: true, pem: file === undefined ? undefined : readFileSync(file, 'utf8') };
  } catch {
    return { ok: false, fault: { name, expected: 'the path of a PEM file that can be read' } };
  }
}
