import { createCredential } from '../../shared/adapters/arm/credential.ts';
import { createRegistrationBlob } from '../../shared/adapters/registrations/registration-blob.ts';
import { faultClause, isNoLogin } from './inspect/fault-reason.ts';
import type { Fault } from '../../shared/core/fault.ts';
import type { Registrations, RegistrationsRead } from '../../shared/ports/registrations.ts';
import { formatRegistrations, parseRegistrations } from '../../shared/wire/settings.ts';
import type { ClusterRegistration, Settings } from '../../shared/wire/settings.ts';
import { failure, wrongInput } from './stop.ts';
import type { Stop } from './stop.ts';

/** The blob that the setting `REGISTRATIONS_URL` names, with the operator's own rights. */
export function openRegistrations({ REGISTRATIONS_URL: url }: Settings): Registrations {
  if (url === undefined)
    throw wrongInput(
      'the app has no setting REGISTRATIONS_URL, so there is no place for a registration',
      'deploy infra/azure again, or set it to the URL of a blob (docs/settings.md)',
    );
  const hasSas = new URL(url).searchParams.has('sig');
  return createRegistrationBlob(hasSas ? { url } : { url, credential: createCredential({ kind: 'default' }) });
}

type Read = Extract<RegistrationsRead, { kind: 'read' }>;

/** All registrations of the blob. */
export async function readRegistrations(registrations: Registrations, signal: AbortSignal): Promise<Read> {
  const read = await registrations.get(undefined, signal);
  if (!read.ok) throw registrationStop(read.fault);
  if (read.value.kind === 'unchanged') throw new Error('a first read was answered as unchanged');
  return read.value;
}

/** The clusters that the app serves: those of the setting `CLUSTERS`, and those of the blob that are not in it. */
export function servedClusters(settings: Settings, registered: readonly ClusterRegistration[]): ClusterRegistration[] {
  const known = new Set(settings.CLUSTERS.map(({ uid }) => uid));
  return [...settings.CLUSTERS, ...registered.filter(({ uid }) => !known.has(uid))];
}

/** Lost races after which somebody must look. */
const maxAttempts = 5;

/**
 * Changes the blob: reads it, lets `change` answer the new list, or undefined when nothing is to change, and writes
 * that only if nobody else wrote meanwhile; otherwise all over again. Answers whether it wrote. What nobody could read
 * afterwards, no app and no command, is not written. Idempotent if `change` is.
 */
export async function changeRegistrations(
  registrations: Registrations,
  change: (clusters: readonly ClusterRegistration[]) => readonly ClusterRegistration[] | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const { clusters, etag } = await readRegistrations(registrations, signal);
    const next = change(clusters);
    if (next === undefined) return false;
    refuseUnreadable(next);
    const written = await registrations.put(next, etag, signal);
    if (written.ok) return true;
    if (written.fault.kind !== 'conflict' || attempt === maxAttempts) throw registrationStop(written.fault);
  }
}

function refuseUnreadable(clusters: readonly ClusterRegistration[]): void {
  const parsed = parseRegistrations(formatRegistrations(clusters));
  if (parsed.ok) return;
  const faults = parsed.faults.map(({ name, expected }) => `${name}: ${expected}`).join('; ');
  throw failure(
    `the registrations would be such as nobody can read, and were not written: ${faults}`,
    'give what is named there by an option, or change it where it comes from',
  );
}

function registrationStop(fault: Fault): Stop {
  const problem = `the registrations: ${faultClause(fault)}`;
  if (isNoLogin(fault)) return failure(problem, 'sign in with az login');
  switch (fault.kind) {
    case 'denied':
      return failure(
        problem,
        "you need the role Storage Blob Data Contributor on the app's storage account; log in with az login",
      );
    case 'not-found':
      return failure(problem, 'deploy infra/azure again: it makes the container of the registrations');
    case 'rejected':
      return failure(problem, 'fix or delete the blob that REGISTRATIONS_URL names');
    default:
      return failure(problem, 'run the same command again; where the storage account is private, from its network');
  }
}
