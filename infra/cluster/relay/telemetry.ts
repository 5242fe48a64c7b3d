import { telemetryConfiguration } from '../../../shared/adapters/telemetry/configuration.ts';
import { createTelemetry } from '../../../shared/adapters/telemetry/telemetry.ts';
import type { Log } from '../../../shared/ports/log.ts';
import type { Telemetry } from '../../../shared/ports/telemetry.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Spans over OTLP when `OTEL_EXPORTER_OTLP_ENDPOINT` is set, else nothing. Azure Monitor is the app's: the relay has no Azure credential. */
export function relayTelemetry(environment: Environment, log: Log): Telemetry {
  const { APPLICATIONINSIGHTS_CONNECTION_STRING: _, ...others } = environment;
  const configuration = telemetryConfiguration({ OTEL_SERVICE_NAME: 'serverless-kubelet-relay', ...others });
  return createTelemetry(configuration, {
    log,
    open: async (opened) => {
      const { openOtlpSpans } = await import('../../../shared/adapters/telemetry/otlp-spans.ts');
      return openOtlpSpans(opened);
    },
  });
}
