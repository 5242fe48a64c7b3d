import { createCredential } from '../../../shared/adapters/arm/credential.ts';
import { createProbeBlob } from '../../../shared/adapters/registrations/probe-blob.ts';
import type { ProbeRecords } from '../../../shared/ports/probe-records.ts';
import { withProbe } from '../../../shared/wire/probe-record.ts';
import type { ProbeRecord } from '../../../shared/wire/probe-record.ts';
import type { Settings } from '../../../shared/wire/settings.ts';
import { faultClause } from '../inspect/fault-reason.ts';

/** Beside the registrations, with the operator's own rights; undefined: there is no place. */
export function openProbeRecords({ REGISTRATIONS_URL: url }: Settings): ProbeRecords | undefined {
  if (url === undefined) return undefined;
  const hasSas = new URL(url).searchParams.has('sig');
  return createProbeBlob(hasSas ? { url } : { url, credential: createCredential({ kind: 'default' }) });
}

const maxAttempts = 5;

/** Puts what was found in the place of what was found there before. Answers why it could not. */
export async function recordProbe(
  records: ProbeRecords,
  newer: ProbeRecord,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const read = await records.get(signal);
    if (!read.ok) return faultClause(read.fault);
    const written = await records.put(withProbe(read.value.probes, newer), read.value.etag, signal);
    if (written.ok) return undefined;
    if (written.fault.kind !== 'conflict' || attempt === maxAttempts) return faultClause(written.fault);
  }
}
