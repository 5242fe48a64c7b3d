import type { Resource } from '@opentelemetry/resources';
import { AggregationTemporality, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { metricOf } from '../../core/telemetry/metrics.ts';
import type { MetricName } from '../../core/telemetry/metrics.ts';
import type { Measurement } from './measurements.ts';

/** Collects when asked: a function that has answered is frozen, and its timers with it. */
class OnDemandReader extends MetricReader {
  constructor() {
    // What was sent is forgotten: processes come and go, and each would repeat its last value for ever.
    super({ aggregationTemporalitySelector: () => AggregationTemporality.DELTA });
  }

  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

type Instrument = (value: number, attributes: Readonly<Record<string, string>>) => void;

/** Makes OpenTelemetry's metrics of measurements. */
export class MetricCollector {
  readonly #reader = new OnDemandReader();
  readonly #provider: MeterProvider;
  readonly #instruments = new Map<MetricName, Instrument>();

  constructor(resource: Resource) {
    this.#provider = new MeterProvider({ resource, readers: [this.#reader] });
  }

  /** What these measurements come to, and nothing of earlier ones; undefined when there are none. */
  async collect(measurements: readonly Measurement[]): Promise<ResourceMetrics | undefined> {
    if (measurements.length === 0) return undefined;
    for (const { name, value, attributes } of measurements) this.#instrument(name)(value, attributes);
    const { resourceMetrics } = await this.#reader.collect();
    return resourceMetrics;
  }

  #instrument(name: MetricName): Instrument {
    const known = this.#instruments.get(name) ?? this.#create(name);
    this.#instruments.set(name, known);
    return known;
  }

  #create(name: MetricName): Instrument {
    const meter = this.#provider.getMeter('serverless-kubelet');
    const { kind, unit, description } = metricOf(name);
    switch (kind) {
      case 'counter': {
        const counter = meter.createCounter(name, { unit, description });
        return (value, attributes) => counter.add(value, attributes);
      }
      case 'histogram': {
        const histogram = meter.createHistogram(name, {
          unit,
          description,
          advice: { explicitBucketBoundaries: [0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 900] },
        });
        return (value, attributes) => histogram.record(value, attributes);
      }
      case 'gauge': {
        const gauge = meter.createGauge(name, { unit, description });
        return (value, attributes) => gauge.record(value, attributes);
      }
    }
  }
}
