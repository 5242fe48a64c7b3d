import { ok } from '../fault.ts';
import type { Result } from '../fault.ts';

/** What a pod's containers may refer to, as the API server gave it. */
export interface SecretData {
  /** Of the object; absent: it was not read from a cluster. */
  readonly resourceVersion?: string;
  readonly type: string;
  /** Decoded bytes. */
  readonly data: Readonly<Record<string, Uint8Array>>;
}

export interface ConfigMapData {
  /** As of a Secret. */
  readonly resourceVersion?: string;
  readonly data: Readonly<Record<string, string>>;
  readonly binaryData: Readonly<Record<string, Uint8Array>>;
}

/** A service that has a cluster IP. */
export interface ServiceInfo {
  readonly name: string;
  readonly namespace: string;
  readonly clusterIP: string;
  readonly ports: readonly { readonly name?: string; readonly port: number; readonly protocol: string }[];
}

/** A TokenRequest bound to one pod; the Node authorizer grants no other. */
export interface TokenRequest {
  readonly namespace: string;
  readonly serviceAccountName: string;
  /** Empty: the API server's default audience. */
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  /** Asked for a second time where the token of `expirationSeconds` lives for less; the longer-lived of both is given. */
  readonly elseSeconds?: number;
  readonly pod: { readonly name: string; readonly uid: string };
}

export interface PodToken {
  readonly value: string;
  /** From its issue until the API server no longer takes it: what the token itself says, not what was asked for. */
  readonly lifetimeSeconds: number;
}

/** Whether a request that was answered with this token is to be made again, for `elseSeconds`. */
export const isShort = ({ elseSeconds }: TokenRequest, { lifetimeSeconds }: PodToken): boolean =>
  elseSeconds !== undefined && lifetimeSeconds < elseSeconds;

/** The second request. */
export const longerRequest = ({ elseSeconds, ...request }: TokenRequest): TokenRequest => ({
  ...request,
  expirationSeconds: elseSeconds ?? request.expirationSeconds,
});

/**
 * What two answers to one request come to. Refused for the longer time (a cap by policy), the first holds; any other
 * fault is the answer, since the next try may have the longer one.
 */
export function longerToken(first: PodToken, second: Result<PodToken>): Result<PodToken> {
  if (second.ok) return ok(second.value.lifetimeSeconds > first.lifetimeSeconds ? second.value : first);
  return second.fault.kind === 'rejected' || second.fault.kind === 'denied' ? ok(first) : second;
}
