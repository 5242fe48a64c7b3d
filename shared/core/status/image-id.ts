import type { GroupEvent } from '../group/group.ts';
import { instantMs } from './time.ts';

const digestReference = /"([^"\s]+)@(sha256:[0-9a-f]{64})"/;

/**
 * `docker.io/library/alpine@sha256:…` from the newest Pulled (else Pulling) event that names a digest, as a kubelet
 * reports `imageID`. Undefined when no event does: older stacks name only the tag.
 */
export function imageIdFromEvents(events: readonly GroupEvent[]): string | undefined {
  return newestDigest(events, 'Pulled') ?? newestDigest(events, 'Pulling');
}

function newestDigest(events: readonly GroupEvent[], name: string): string | undefined {
  const matches = events
    .filter((event) => event.name === name)
    .map((event) => ({ at: instantMs(event.lastTimestamp) ?? 0, match: digestReference.exec(event.message) }))
    .filter((entry) => entry.match !== null)
    .sort((a, b) => b.at - a.at);
  const [, reference, digest] = matches[0]?.match ?? [];
  return reference === undefined || digest === undefined ? undefined : `${repositoryName(reference)}@${digest}`;
}

/** Of an image that a group has by its digest; undefined: it has another. */
export function imageIdOf(reference: string): string | undefined {
  const [, digest] = reference.split('@', 2);
  return digest === undefined ? undefined : `${repositoryName(reference)}@${digest}`;
}

/** The full repository name of an image reference, without tag or digest: a first part without `.`, `:` or `localhost` is no host. */
export function repositoryName(reference: string): string {
  const untagged = reference.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
  const [first = '', ...rest] = untagged.split('/');
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  if (hasHost) return untagged;
  return rest.length === 0 ? `docker.io/library/${untagged}` : `docker.io/${untagged}`;
}
