import type { Log } from '../../ports/log.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { TelemetryConfiguration } from './configuration.ts';
import { Measurements } from './measurements.ts';
import type { Pipeline } from './exporting.ts';
import { silentTelemetry } from './silent.ts';
import { SpanBook } from './span-book.ts';

export interface TelemetryOptions {
  readonly log: Log;
  /** Loads what sends, with the first flush that has something to send. */
  readonly open: (configuration: TelemetryConfiguration) => Promise<Pipeline>;
  /** In [0, 1); `Math.random` unless given. */
  readonly random?: () => number;
  /** Unless given, the process's own time. */
  readonly wallMs?: () => number;
  readonly monotonicMs?: () => number;
}

/** A flush takes no longer, whatever the collector does. */
const flushMs = 1000;
const tooLate = 'no answer in time';
/** After a failure nothing is sent for so long, and the next warning comes no sooner. */
const pauseMs = 60_000;

/**
 * Telemetry over OpenTelemetry's exporters, which load with the first flush that has something to send. Without a
 * configuration nothing is collected and nothing loaded. A flush that fails loses what it had: it is reported once a minute.
 */
export function createTelemetry(
  configuration: TelemetryConfiguration | undefined,
  options: TelemetryOptions,
): Telemetry {
  if (configuration === undefined) return silentTelemetry;
  const { log, random = Math.random, wallMs = () => performance.timeOrigin + performance.now() } = options;
  const monotonicMs = options.monotonicMs ?? (() => performance.now());
  const spans = new SpanBook({ sampleRatio: configuration.sampleRatio, random, wallMs });
  const measurements = new Measurements(monotonicMs);
  let opening: Promise<Pipeline> | undefined;
  let pausedUntil = Number.NEGATIVE_INFINITY;

  /** What is collected stays until there is something to send it with: loading an exporter may take longer than a flush. */
  const send = async (): Promise<string | undefined> => {
    if (monotonicMs() < pausedUntil) {
      spans.take();
      measurements.take();
      return undefined;
    }
    opening ??= options.open(configuration);
    const pipeline = await opening;
    return pipeline.send({ spans: spans.take(), measurements: measurements.take() });
  };

  return {
    startSpan: (name, start) => spans.start(name, start),
    measure: (name, value, attributes) => measurements.add({ name, value, attributes }),
    flush: async () => {
      if (spans.isEmpty && measurements.isEmpty) return;
      const isOpen = opening !== undefined;
      const cause = await within(flushMs, send().catch(nameOf));
      if (cause === tooLate && !isOpen) return;
      if (cause === undefined) return;
      pausedUntil = monotonicMs() + pauseMs;
      log.warn('telemetry could not be sent; the next attempt is in a minute', { cause });
    },
  };
}

async function within(ms: number, work: Promise<string | undefined>): Promise<string | undefined> {
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(() => late.resolve(tooLate), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Never the message: it may quote what was sent, or to whom. */
const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown error');
