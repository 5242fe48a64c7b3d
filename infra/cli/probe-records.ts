import { createCredential } from '../../shared/adapters/arm/credential.ts';
import { createProbeBlob } from '../../shared/adapters/registrations/probe-blob.ts';
import type { ProbeRecords } from '../../shared/ports/probe-records.ts';
import type { Settings } from '../../shared/wire/settings.ts';

/** What probes have found, beside the registrations, with the operator's own rights; undefined: there is no place. */
export function openProbeRecords({ REGISTRATIONS_URL: url }: Settings): ProbeRecords | undefined {
  if (url === undefined) return undefined;
  const hasSas = new URL(url).searchParams.has('sig');
  return createProbeBlob(hasSas ? { url } : { url, credential: createCredential({ kind: 'default' }) });
}
