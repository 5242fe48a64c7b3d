/** Where telemetry goes, read from the settings that OpenTelemetry and Azure have names for. */
export interface TelemetryConfiguration {
  /** `OTEL_EXPORTER_OTLP_ENDPOINT`, without a slash at the end. */
  readonly otlpEndpoint: string | undefined;
  readonly azureMonitor:
    | {
        readonly connectionString: string;
        /** `APPLICATIONINSIGHTS_AUTHENTICATION_STRING` says `Authorization=AAD`; whose identity, where it names one. */
        readonly entra: { readonly clientId?: string } | undefined;
      }
    | undefined;
  /** `OTEL_TRACES_SAMPLER_ARG`: the part of the traces that is kept, 0 to 1. */
  readonly sampleRatio: number;
  /** The cloud role: `OTEL_SERVICE_NAME`, or the app's name. */
  readonly serviceName: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Undefined: nothing is configured (or `OTEL_SDK_DISABLED` is true), and nothing of OpenTelemetry is to be loaded. */
export function telemetryConfiguration(environment: Environment): TelemetryConfiguration | undefined {
  const text = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const otlpEndpoint = text('OTEL_EXPORTER_OTLP_ENDPOINT')?.replace(/\/+$/, '');
  const connectionString = text('APPLICATIONINSIGHTS_CONNECTION_STRING');
  if (text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined;
  if (otlpEndpoint === undefined && connectionString === undefined) return undefined;
  return {
    otlpEndpoint,
    azureMonitor:
      connectionString === undefined
        ? undefined
        : { connectionString, entra: readEntra(text('APPLICATIONINSIGHTS_AUTHENTICATION_STRING') ?? '') },
    sampleRatio: ratio(text('OTEL_TRACES_SAMPLER_ARG')),
    serviceName: text('OTEL_SERVICE_NAME') ?? text('WEBSITE_SITE_NAME') ?? 'serverless-kubelet',
  };
}

/** `Authorization=AAD` or `Authorization=AAD;ClientId=<guid>`; undefined: the key of the connection string is enough. */
function readEntra(text: string): { readonly clientId?: string } | undefined {
  const parts = new Map(
    text.split(';').map((part): [string, string] => {
      const [name = '', ...value] = part.split('=');
      return [name.trim().toLowerCase(), value.join('=').trim()];
    }),
  );
  if (parts.get('authorization')?.toLowerCase() !== 'aad') return undefined;
  const clientId = parts.get('clientid') ?? '';
  return clientId === '' ? {} : { clientId };
}

function ratio(text: string | undefined): number {
  const value = Number(text ?? '1');
  return value >= 0 && value <= 1 ? value : 1;
}
