import { metricOf } from '../../core/telemetry/metrics.ts';
import type { MetricName } from '../../core/telemetry/metrics.ts';
import { isWorthReporting } from '../../core/telemetry/quiet.ts';
import type { ReportedValue } from '../../core/telemetry/quiet.ts';

export interface Measurement {
  readonly name: MetricName;
  readonly value: number;
  readonly attributes: Readonly<Record<string, string>>;
}

/** So many are held between two flushes; what comes on top is lost. */
const mostHeld = 8192;

/** The measurements of one process until they are sent, less those that would only repeat themselves. */
export class Measurements {
  readonly #nowMs: () => number;
  readonly #reported = new Map<string, ReportedValue>();
  #held: Measurement[] = [];

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  add(measurement: Measurement): void {
    if (this.#held.length >= mostHeld || !Number.isFinite(measurement.value)) return;
    const { quiet } = metricOf(measurement.name);
    if (quiet !== undefined) {
      const key = JSON.stringify([measurement.name, measurement.attributes]);
      const reported: ReportedValue = { value: measurement.value, atMs: this.#nowMs() };
      if (!isWorthReporting(quiet, this.#reported.get(key), { value: reported.value, nowMs: reported.atMs })) return;
      this.#reported.set(key, reported);
    }
    this.#held.push(measurement);
  }

  take(): readonly Measurement[] {
    const taken = this.#held;
    this.#held = [];
    return taken;
  }
}
