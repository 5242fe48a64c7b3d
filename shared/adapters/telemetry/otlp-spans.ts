import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { TelemetryConfiguration } from './configuration.ts';
import { exported, exportMs, resourceOf } from './exporting.ts';
import type { Pipeline } from './exporting.ts';
import { readableSpan } from './readable-span.ts';

/** Spans alone, over OTLP/HTTP: half of what the app's pipeline loads. Measurements are left out. */
export function openOtlpSpans(configuration: TelemetryConfiguration): Pipeline {
  const resource = resourceOf(configuration);
  const exporter = new OTLPTraceExporter({
    url: `${configuration.otlpEndpoint ?? ''}/v1/traces`,
    timeoutMillis: exportMs,
  });
  return {
    send: async ({ spans }) =>
      spans.length === 0
        ? undefined
        : exported('OTLP', (done) =>
            exporter.export(
              spans.map((span) => readableSpan(span, resource)),
              done,
            ),
          ),
  };
}
