import { SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import type { Attributes, HrTime, SpanContext } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { TraceContext } from '../../core/telemetry/traceparent.ts';
import type { SpanRecord } from './span-book.ts';

const scope = { name: 'serverless-kubelet' };

const kinds = { server: SpanKind.SERVER, producer: SpanKind.PRODUCER, client: SpanKind.CLIENT } as const;

/** A span as OpenTelemetry's exporters want it. */
export function readableSpan(record: SpanRecord, resource: Resource): ReadableSpan {
  const { name, kind, context, parent, attributes, fault } = record;
  return {
    name,
    kind: kinds[kind],
    spanContext: () => spanContext(context, false),
    ...(parent === undefined ? {} : { parentSpanContext: spanContext(parent, kind === 'server') }),
    startTime: hrTime(record.startedAt),
    endTime: hrTime(record.endedAt),
    duration: hrTime(Math.max(0, record.endedAt - record.startedAt)),
    ended: true,
    status: fault === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: fault },
    attributes: defined(attributes),
    links: [],
    events: [],
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

const spanContext = ({ traceId, spanId, sampled }: TraceContext, isRemote: boolean): SpanContext => ({
  traceId,
  spanId,
  traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
  isRemote,
});

const hrTime = (ms: number): HrTime => [Math.floor(ms / 1000), Math.round((ms % 1000) * 1_000_000)];

const defined = (attributes: SpanRecord['attributes']): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
