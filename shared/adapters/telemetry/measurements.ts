import { metricOf } from '../../core/telemetry/metrics.ts';
import type { MetricName } from '../../core/telemetry/metrics.ts';
import { isWorthTelling } from '../../core/telemetry/quiet.ts';
import type { Told } from '../../core/telemetry/quiet.ts';

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
  readonly #told = new Map<string, Told>();
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
      const told: Told = { value: measurement.value, atMs: this.#nowMs() };
      if (!isWorthTelling(quiet, this.#told.get(key), { value: told.value, nowMs: told.atMs })) return;
      this.#told.set(key, told);
    }
    this.#held.push(measurement);
  }

  take(): readonly Measurement[] {
    const taken = this.#held;
    this.#held = [];
    return taken;
  }
}
