import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { ProbeRecords, ProbeRecordsRead } from '../../ports/probe-records.ts';
import { formatProbeRecords, parseProbeRecords } from '../../wire/probe-record.ts';
import { createBlobClient } from './blob-client.ts';
import { blobFault } from './blob-faults.ts';
import type { BlobAnswer, BlobSubject } from './blob-faults.ts';
import type { RegistrationBlobConfig } from './registration-blob.ts';

const subject: BlobSubject = { name: 'what was measured', role: 'Storage Blob Data Contributor' };

/** Beside the registrations: `prod.json` has `prod.probe.json`. A SAS for one blob alone is not one for this. */
export function probeUrl(registrationsUrl: string): string {
  const url = new URL(registrationsUrl);
  url.pathname = url.pathname.replace(/(?:\.json)?$/, '.probe.json');
  return url.href;
}

/** {@link ProbeRecords} in one blob. `url` is that of the registrations. */
export function createProbeBlob({ url, ...from }: RegistrationBlobConfig): ProbeRecords {
  const target = probeUrl(url);
  const hasSas = new URL(target).searchParams.has('sig');
  const client = createBlobClient(hasSas ? { ...from, credential: undefined } : from);
  return {
    get: async (signal) => {
      const answer = await client({ method: 'GET', url: target, headers: {}, signal });
      return answer.ok ? read(answer.value) : answer;
    },
    put: async (probes, etag, signal) => {
      const headers = {
        'x-ms-blob-type': 'BlockBlob',
        'content-type': 'application/json; charset=utf-8',
        ...(etag === undefined ? { 'if-none-match': '*' } : { 'if-match': etag }),
      };
      const body = formatProbeRecords(probes);
      const answer = await client({ method: 'PUT', url: target, headers, body, signal });
      if (!answer.ok) return answer;
      return answer.value.status === 201 ? ok(undefined) : fail(blobFault(answer.value, subject));
    },
  };
}

function read(answer: BlobAnswer): Result<ProbeRecordsRead> {
  if (answer.status === 404 && /^(?:Blob|Container)NotFound$/.test(answer.header('x-ms-error-code') ?? ''))
    return ok({ etag: undefined, probes: [] });
  if (answer.status !== 200) return fail(blobFault(answer, subject));
  const probes = parseProbeRecords(answer.body);
  return probes === undefined
    ? fail({ kind: 'rejected', code: 'ProbesInvalid', message: 'the blob of what was measured holds something else' })
    : ok({ etag: answer.header('etag'), probes });
}
