import type { TokenCredential } from '@azure/core-auth';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { TelemetryConfiguration } from './configuration.ts';
import type { Measurement } from './measurements.ts';
import { MetricCollector } from './metric-collector.ts';
import { readableSpan } from './readable-span.ts';
import type { SpanRecord } from './span-book.ts';

export interface Batch {
  readonly spans: readonly SpanRecord[];
  readonly measurements: readonly Measurement[];
}

/** What sends. */
export interface Pipeline {
  /** Undefined when all of it was taken; else where it failed. Nothing is tried twice. */
  send(batch: Batch): Promise<string | undefined>;
}

interface Destination {
  readonly name: string;
  readonly spans: Pick<SpanExporter, 'export'>;
  readonly metrics: Pick<PushMetricExporter, 'export'>;
}

/** Below the second that a flush may take. */
const exportMs = 900;

/** Loads the exporters that are configured and no others. */
export async function createPipeline(
  configuration: TelemetryConfiguration,
  credential: ((clientId: string | undefined) => TokenCredential) | undefined,
): Promise<Pipeline> {
  const resource = resourceFromAttributes({
    'service.name': configuration.serviceName,
    'service.namespace': 'serverless-kubelet',
    'service.instance.id': process.env['WEBSITE_INSTANCE_ID'] ?? crypto.randomUUID(),
  });
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
          ...(spans.length === 0 ? [] : [outcome(to.name, (done) => to.spans.export(spans, done))]),
          ...(metrics === undefined ? [] : [outcome(to.name, (done) => to.metrics.export(metrics, done))]),
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
  credential: ((clientId: string | undefined) => TokenCredential) | undefined,
): Promise<Destination> {
  // The exporter's telemetry about itself: records that nobody here reads, and timers that outlive an invocation.
  process.env['APPLICATION_INSIGHTS_NO_STATSBEAT'] ??= 'true';
  const { AzureMonitorTraceExporter, AzureMonitorMetricExporter } =
    await import('@azure/monitor-opentelemetry-exporter');
  const options = {
    connectionString,
    disableOfflineStorage: true,
    retryOptions: { maxRetries: 0 },
    ...(entra === undefined || credential === undefined ? {} : { credential: credential(entra.clientId) }),
  };
  return {
    name: 'Azure Monitor',
    spans: new AzureMonitorTraceExporter(options),
    metrics: new AzureMonitorMetricExporter(options),
  };
}

interface ExportOutcome {
  readonly code: number;
}

/** 0 is `ExportResultCode.SUCCESS`; its enum is in a package that only exporters need. */
async function outcome(
  name: string,
  run: (done: (result: ExportOutcome) => void) => unknown,
): Promise<string | undefined> {
  const ended = Promise.withResolvers<ExportOutcome>();
  await Promise.race([ended.promise, run(ended.resolve)]);
  const { code } = await ended.promise;
  return code === 0 ? undefined : `${name} did not take it`;
}
