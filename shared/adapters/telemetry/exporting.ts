import { resourceFromAttributes } from '@opentelemetry/resources';
import type { Resource } from '@opentelemetry/resources';
import type { TelemetryConfiguration } from './configuration.ts';
import type { Measurement } from './measurements.ts';
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

/** Below the second that a flush may take. */
export const exportMs = 900;

/** Who says. No namespace: Azure Monitor would put it before the role's name, and the host's records have none. */
export const resourceOf = ({ serviceName }: TelemetryConfiguration): Resource =>
  resourceFromAttributes({
    'service.name': serviceName,
    'service.instance.id': process.env['WEBSITE_INSTANCE_ID'] ?? process.env['HOSTNAME'] ?? crypto.randomUUID(),
  });

interface ExportOutcome {
  readonly code: number;
}

/** One export as a value. 0 is `ExportResultCode.SUCCESS`; its enum is in a package that only exporters need. */
export async function exported(
  name: string,
  run: (done: (result: ExportOutcome) => void) => unknown,
): Promise<string | undefined> {
  const ended = Promise.withResolvers<ExportOutcome>();
  await Promise.race([ended.promise, run(ended.resolve)]);
  const { code } = await ended.promise;
  return code === 0 ? undefined : `${name} did not take it`;
}
