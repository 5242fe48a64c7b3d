import type { Result } from '../core/fault.ts';
import type { ProbeRecord } from '../wire/probe-record.ts';

/** What was read, and the ETag to write by; undefined: there is nothing yet. */
export interface ProbeRecordsRead {
  readonly etag: string | undefined;
  readonly probes: readonly ProbeRecord[];
}

/**
 * What probes have measured: one document for each installation, beside its registrations. Every method is one request,
 * never repeated inside; `signal` bounds it. Faults as of the registrations.
 */
export interface ProbeRecords {
  /** `rejected` (code `ProbesInvalid`): it is there and not what it must be. */
  get(signal: AbortSignal): Promise<Result<ProbeRecordsRead>>;
  /** Replaces the document whose ETag is `etag`, or makes it where there is none. `conflict`: somebody else wrote meanwhile. */
  put(probes: readonly ProbeRecord[], etag: string | undefined, signal: AbortSignal): Promise<Result<void>>;
}
