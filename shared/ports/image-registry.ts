import type { Result } from '../core/fault.ts';
import type { ImageConfig } from '../core/image/image-config.ts';
import type { ImageSource } from '../core/image/image-source.ts';

/** A user of a registry, from a pull secret. */
export interface RegistryLogin {
  readonly username: string;
  readonly password: string;
}

/** Which image, and who asks. */
export interface ImageQuery {
  readonly source: ImageSource;
  /** Tried in this order, then the pull identity where the registry is Azure's, then nobody; the next one only where the one before may not. */
  readonly logins: readonly RegistryLogin[];
}

/**
 * What registries say of images (OCI distribution specification), for linux/amd64. Reads alone, so everything may be done
 * twice. Nothing is repeated inside, no request is longer than five seconds, and `signal` bounds all of them. What a digest
 * names is checked against it.
 *
 * Faults, whose message names the registry and what it answered, and no secret: `not-found` no such image; `denied`
 * nobody of those who asked may read it (some registries say so of images that are not there); `throttled` its rate limit;
 * `transient` 5xx, no answer, garbage; `rejected` with the code `NoMatchingPlatform` (nothing for linux/amd64),
 * `UnsupportedMediaType` (no image), `DigestMismatch` (other bytes than the digest names), `TooLarge`, `TooManyRedirects`,
 * `ForbiddenAddress` (the name leads to an address that is not asked unless a setting maps the registry) or
 * `InsecureRegistry` (it leads to plain http).
 */
export interface ImageRegistry {
  /**
   * The digest that a tag names now. One HEAD, which Docker Hub does not count as a pull, and a GET of at most 4 MiB where
   * the registry's HEAD names none; up to three requests more to be let in.
   */
  getDigest(query: ImageQuery, signal: AbortSignal): Promise<Result<string>>;
  /**
   * The config of what a digest names (`source.reference` must be one): two GETs, three where it is an index, a redirect
   * or two to where the bytes are; up to three requests to be let in, unless `getDigest` was just before.
   */
  getConfig(query: ImageQuery, signal: AbortSignal): Promise<Result<ImageConfig>>;
}
