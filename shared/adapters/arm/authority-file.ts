import { readFileSync } from 'node:fs';
import type { SettingFault, Settings } from '../../wire/settings.ts';

type Authority =
  | { readonly ok: true; readonly pem: string | undefined }
  | { readonly ok: false; readonly fault: SettingFault };

/** The CA that ARM's certificate is from, where a setting names its file; or that the file can't be read. */
export function readAuthority({
  ARM_CERTIFICATE_AUTHORITY_FILE: file,
}: Pick<Settings, 'ARM_CERTIFICATE_AUTHORITY_FILE'>): Authority {
  try {
    return { ok: true, pem: file === undefined ? undefined : readFileSync(file, 'utf8') };
  } catch {
    const fault = { name: 'ARM_CERTIFICATE_AUTHORITY_FILE', expected: 'the path of a PEM file that can be read' };
    return { ok: false, fault };
  }
}
