import type { Probe } from './pod.ts';

/** What a probe's last answers mean: `undefined` until the first. */
export class ProbeState {
  readonly #probe: Probe;
  #failures = 0;
  #dueMs = 0;
  #succeeded = false;

  constructor(probe: Probe) {
    this.#probe = probe;
  }

  /** Its last try went well. */
  get succeeded(): boolean {
    return this.#succeeded;
  }

  /** It has failed as often as it may. */
  get failed(): boolean {
    return this.#failures >= this.#probe.failureThreshold;
  }

  /** Asks when it is due; `portOf` resolves a named port. Never rejects. */
  async ask(address: string, portOf: (port: string | number) => number): Promise<void> {
    if (Date.now() < this.#dueMs) return;
    const { httpGet, periodSeconds, timeoutSeconds } = this.#probe;
    this.#dueMs = Date.now() + periodSeconds * 1000;
    this.#succeeded = await answers(`http://${address}:${portOf(httpGet.port)}${httpGet.path}`, timeoutSeconds);
    this.#failures = this.#succeeded ? 0 : this.#failures + 1;
  }
}

async function answers(url: string, timeoutSeconds: number): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutSeconds * 1000) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}
