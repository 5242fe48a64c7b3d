/** Milliseconds since the epoch, without those after the second. */
export const wholeSecond = (ms: number): number => Math.floor(ms / 1000) * 1000;

/** Not before `since`, as far as can be known of a time of ACI's, which may have whole seconds alone. */
export const isAtOrAfter = (ms: number, since: number): boolean => wholeSecond(ms) >= wholeSecond(since);

/** RFC 3339 with whole seconds, as `metav1.Time` carries it; `ms` since the epoch, floored. */
export const rfc3339 = (ms: number): string => new Date(wholeSecond(ms)).toISOString().replace('.000Z', 'Z');

/** An instant as somebody wrote it (any fraction, any offset) in `metav1.Time`'s form; undefined when it is no instant. */
export function wholeSeconds(text: string | undefined): string | undefined {
  const ms = instantMs(text);
  return ms === undefined ? undefined : rfc3339(ms);
}

/** Milliseconds since the epoch, or undefined when the text is no instant. */
export function instantMs(text: string | undefined): number | undefined {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? ms : undefined;
}
