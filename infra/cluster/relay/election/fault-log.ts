import { describeFault } from '../../../../shared/core/fault.ts';
import type { Fault } from '../../../../shared/core/fault.ts';
import type { Log } from '../../../../shared/ports/log.ts';

const sayAgainMs = 60_000;

/** Says why an election does not get on: each reason once a minute, and once that it passed. */
export class FaultLog {
  readonly #log: Log;
  readonly #lease: string;
  #said: { readonly text: string; readonly at: number } | undefined;

  constructor(log: Log, lease: string) {
    this.#log = log;
    this.#lease = lease;
  }

  note(fault: Fault): void {
    const text = describeFault(fault);
    const now = performance.now();
    if (this.#said?.text === text && now - this.#said.at < sayAgainMs) return;
    this.#said = { text, at: now };
    this.#log.warn(messageOf(fault), { lease: this.#lease, fault: text });
  }

  passed(): void {
    if (this.#said !== undefined) this.#log.info('the Lease of the election is read again', { lease: this.#lease });
    this.#said = undefined;
  }
}

function messageOf(fault: Fault): string {
  switch (fault.kind) {
    case 'not-found':
      return 'the Lease of the election is missing, and nobody leads without it: the chart makes it, the relay may not';
    case 'denied':
      return 'the relay may not read or renew the Lease of the election: it needs get, update and patch on it';
    case 'throttled':
    case 'conflict':
    case 'rejected':
    case 'capacity':
    case 'transient':
      return 'the Lease of the election could not be read or renewed';
  }
}
