/** Where in which trace a span is (W3C Trace Context). */
export interface TraceContext {
  /** 32 hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** 16 hexadecimal digits, not all zero. */
  readonly spanId: string;
  /** False: whoever began the trace does not record it, and nobody else should. */
  readonly sampled: boolean;
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
const zeros = /^0+$/;

/** Reads a `traceparent` (W3C Trace Context §3.2); undefined when it is none: then it counts as absent, as the standard says. */
export function parseTraceparent(text: string): TraceContext | undefined {
  const [, version = '', traceId = '', spanId = '', flags = ''] = form.exec(text) ?? [];
  if (version === '' || version === 'ff' || zeros.test(traceId) || zeros.test(spanId)) return undefined;
  // Version 00 has four fields; a later one may have more.
  if (version === '00' && text.length !== 55) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export const formatTraceparent = ({ traceId, spanId, sampled }: TraceContext): string =>
  `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;

/** The root of a new trace; `random` in [0, 1). */
export const newTrace = (random: () => number): TraceContext => ({
  traceId: hexDigits(random, 4),
  spanId: hexDigits(random, 2),
  sampled: true,
});

/** A span below `parent`, of the same trace. */
export const childOf = (parent: TraceContext, random: () => number): TraceContext => ({
  ...parent,
  spanId: hexDigits(random, 2),
});

/** Words of 32 bits; the last is never zero, so that the whole is not. */
function hexDigits(random: () => number, words: number): string {
  const word = (): number => Math.floor(random() * 0x1_0000_0000);
  return Array.from({ length: words }, (_, index) => (index === words - 1 ? Math.max(1, word()) : word()))
    .map((value) => value.toString(16).padStart(8, '0'))
    .join('');
}

/** Whether a trace is among the part `ratio` (0 to 1) that is kept: decided by its id, so that all who see it agree. */
export const isKept = ({ traceId }: TraceContext, ratio: number): boolean =>
  Number.parseInt(traceId.slice(-8), 16) < ratio * 0x1_0000_0000;
