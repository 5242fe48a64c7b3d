/**
 * Expected failures are values. An adapter translates whatever its SDK or server says into one of these once; nothing
 * behind it knows HTTP. Exceptions remain for bugs.
 */
export type Fault =
  /** 429, or a budget that is empty. Nothing was done; ask again after `retryAfterMs`. */
  | { readonly kind: 'throttled'; readonly retryAfterMs: number; readonly message: string }
  /** 409 or 412: the world is in another state than the request assumed. `code` is the server's, e.g. `ContainerGroupTransitioning`. */
  | { readonly kind: 'conflict'; readonly code: string; readonly message: string }
  /** 404: the thing does not exist (or, for a resource group, is gone with all that was in it). */
  | { readonly kind: 'not-found'; readonly code: string; readonly message: string }
  /** 401 or 403: our credential may not. An operator must act; the same request later may succeed. */
  | { readonly kind: 'denied'; readonly code: string; readonly message: string }
  /**
   * Any other definite 4xx: it had no effect. `isPermanent`: its code is one of those that are known to speak of the
   * request itself, which will never be taken; without it the same request may succeed later.
   */
  | { readonly kind: 'rejected'; readonly code: string; readonly message: string; readonly isPermanent?: true }
  /** ARM has no room now: regional capacity, or a quota. Nothing was created. */
  | { readonly kind: 'capacity'; readonly code: string; readonly message: string }
  /** 5xx, time-out, reset connection, garbage instead of an answer: the effect may or may not have taken place. */
  | { readonly kind: 'transient'; readonly message: string };

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault };

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });

export const fail = (fault: Fault): { readonly ok: false; readonly fault: Fault } => ({ ok: false, fault });

/** `code: message` where there is a code; one line, for logs, events and conditions. */
export function describeFault(fault: Fault): string {
  return 'code' in fault && fault.code !== '' ? `${fault.code}: ${fault.message}` : fault.message;
}
