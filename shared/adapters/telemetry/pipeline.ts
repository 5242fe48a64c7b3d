import type { TokenCredential } from '@azure/core-auth';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { TelemetryConfiguration } from './configuration.ts';
import { exported, exportMs, resourceOf } from './exporting.ts';
import type { Pipeline } from './exporting.ts';
import { MetricCollector } from './metric-collector.ts';
import { readableSpan } from './readable-span.ts';

interface Destination {
  readonly name: string;
  readonly spans: Pick<SpanExporter, 'export'>;
  readonly metrics: Pick<PushMetricExporter, 'export'>;
}

/** Loads the exporters that are configured and no others. */
export async function createPipeline(
  configuration: TelemetryConfiguration,
  credential: (clientId: string | undefined) => TokenCredential,
): Promise<Pipeline> {
  const resource = resourceOf(configuration);
  const collector = new MetricCollector(resource);
  const destinations = await Promise.all([
    ...(configuration.otlpEndpoint === undefined ? [] : [openOtlp(configuration.otlpEndpoint)]),
    ...(configuration.azureMonitor === undefined ? [] : [openAzureMonitor(configuration.azureMonitor, credential)]),
  ]);
  return {
    send: async (batch) => {
      const metrics = await collector.collect(batch.measurements);
      const spans = batch.spans.map((span) => readableSpan(span, resource));
      const failures = await Promise.all(
        destinations.flatMap((to) => [
          ...(spans.length === 0 ? [] : [exported(to.name, (done) => to.spans.export(spans, done))]),
          ...(metrics === undefined ? [] : [exported(to.name, (done) => to.metrics.export(metrics, done))]),
        ]),
      );
      return failures.find((failure) => failure !== undefined);
    },
  };
}

async function openOtlp(endpoint: string): Promise<Destination> {
  const [{ OTLPTraceExporter }, { OTLPMetricExporter }] = await Promise.all([
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/exporter-metrics-otlp-http'),
  ]);
  const options = { timeoutMillis: exportMs };
  return {
    name: 'OTLP',
    spans: new OTLPTraceExporter({ ...options, url: `${endpoint}/v1/traces` }),
    metrics: new OTLPMetricExporter({ ...options, url: `${endpoint}/v1/metrics` }),
  };
}

async function openAzureMonitor(
  { connectionString, entra }: NonNullable<TelemetryConfiguration['azureMonitor']>,
  credential: (clientId: string | undefined) => TokenCredential,
): Promise<Destination> {
  // The exporter's telemetry about itself: records that nobody here reads, and timers that outlive an invocation.
  process.env['APPLICATION_INSIGHTS_NO_STATSBEAT'] ??= 'true';
  process.env['APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED'] ??= 'true';
  const { AzureMonitorTraceExporter, AzureMonitorMetricExporter } =
    await import('@azure/monitor-opentelemetry-exporter');
  const options = {
    connectionString,
    disableOfflineStorage: true,
    retryOptions: { maxRetries: 0 },
    ...(entra === undefined ? {} : { credential: credential(entra.clientId) }),
  };
  return {
    name: 'Azure Monitor',
    spans: new AzureMonitorTraceExporter(options),
    metrics: new AzureMonitorMetricExporter(options),
  };
}
