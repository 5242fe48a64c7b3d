import type { Fault } from '../core/fault.ts';
import type { MetricAttributes, MetricName } from '../core/telemetry/metrics.ts';
import type { TraceContext } from '../core/telemetry/traceparent.ts';

/** Names, counts, kinds. Never a secret, a spec, a status or a URL's query. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanStart {
  /** None: the span begins a trace. */
  readonly parent: TraceContext | undefined;
  /** What the span is to the process: work that somebody else asked for, or a call that it waits for. */
  readonly kind: 'server' | 'producer' | 'client';
  readonly attributes: SpanAttributes;
}

export interface Span {
  /** For logs and children. Where nothing is recorded, the parent's, so that logs can still be found by the caller's trace. */
  readonly context: TraceContext | undefined;
  setAttributes(attributes: SpanAttributes): void;
  /** Once. `fault`: it failed, on this. `isDropped`: nothing happened worth keeping, and its children go with it. */
  end(end: { readonly fault?: string; readonly isDropped?: boolean }): void;
}

/**
 * What the process reports its work. Nothing here fails, throws or waits, but for `flush`; what can't be reported is lost.
 * Parents are given, so that nobody has to guess which of twenty pods a call was for.
 */
export interface Telemetry {
  startSpan(name: string, start: SpanStart): Span;
  /** Counts, records or sets, as the table of metrics says. */
  measure<Name extends MetricName>(name: Name, value: number, attributes: MetricAttributes<Name>): void;
  /** Sends what has been collected; at the end of each invocation. Ends within a second, sent or not, and never fails. */
  flush(): Promise<void>;
}

/** One request to the world outside, as its adapter sees it. */
export interface OutsideCall {
  readonly port: 'arm' | 'kubernetes' | 'registry';
  readonly method: string;
  /** What is asked for, without names: `create`, `pods/status`. */
  readonly action: string;
  /** Which of ARM's buckets it is taken from. */
  readonly budget?: string;
}

/** Reported when the answer is there: its HTTP status where one came, the fault where it is one. Once. */
export type EndCall = (outcome: { readonly status?: number; readonly fault?: Fault['kind'] }) => void;

/** What adapters report their calls; whose work a call belongs to is the observer's business. */
export type CallObserver = (call: OutsideCall) => EndCall;
