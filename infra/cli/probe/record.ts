import type { ProbeRecords } from '../../../shared/ports/probe-records.ts';
import { withProbe } from '../../../shared/wire/probe-record.ts';
import type { ProbeRecord } from '../../../shared/wire/probe-record.ts';
import { faultClause } from '../inspect/fault-reason.ts';

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
