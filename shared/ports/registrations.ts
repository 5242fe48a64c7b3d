import type { Result } from '../core/fault.ts';
import type { ClusterRegistration } from '../wire/settings.ts';

/** What a read of the registrations found. */
export type RegistrationsRead =
  /** They are those of the ETag that the caller knows. */
  | { readonly kind: 'unchanged' }
  /** `etag` undefined: there is no blob, and so there are no clusters. */
  | { readonly kind: 'read'; readonly etag: string | undefined; readonly clusters: readonly ClusterRegistration[] };

/**
 * The registrations of clusters that are not settings: one document for each installation, which survives the loss of
 * every table. Every method is one request, never repeated inside; `signal` bounds it. No message of a fault holds the
 * URL's query or a token.
 */
export interface Registrations {
  /**
   * The whole document, unless its ETag is `known`. `rejected` (code `RegistrationsInvalid`): it is there and not what
   * it must be; the message names the fields. `denied`, `throttled`, `transient` as everywhere.
   */
  get(known: string | undefined, signal: AbortSignal): Promise<Result<RegistrationsRead>>;
  /**
   * Replaces the document whose ETag is `etag`, or makes it where there is none (`etag` undefined), and answers the new
   * ETag. `conflict`: somebody else wrote meanwhile; read and change again. `not-found`: its container does not exist.
   * After `transient` nobody knows whether it was written: read again.
   */
  put(clusters: readonly ClusterRegistration[], etag: string | undefined, signal: AbortSignal): Promise<Result<string>>;
}
