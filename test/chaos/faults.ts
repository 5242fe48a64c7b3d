import { consequences } from '../../infra/local/sim/faults/request-plan.ts';
import type { Call, Plan, PlannedFault } from '../../infra/local/sim/faults/request-plan.ts';
import type { SimulatedPort, ProcessFault } from '../../infra/local/sim/faults/vocabulary.ts';
import { weightsOf } from './weights.ts';
import type { Chance } from '../../infra/local/sim/time/chance.ts';

/** A time in which a port is away as a whole, or refuses one process, or is in great demand. */
export interface Outage {
  readonly port: SimulatedPort;
  readonly kind: Extract<PlannedFault, 'port down' | 'token expired' | 'ETag storm' | '409 ServiceUnavailable'>;
  readonly from: number;
  readonly to: number;
  /** Only the processes of this name; all when absent. */
  readonly process?: string;
}

export interface FaultSourceOptions {
  readonly chance: Chance;
  /** Part of all calls that a fault befalls. */
  readonly rate: number;
  /** Nothing goes wrong from this time on. */
  readonly until: number;
  readonly now: () => number;
  readonly outages: readonly Outage[];
  /** Part of all calls at which the process dies; and is frozen for up to 90 s. */
  readonly killRate: number;
  readonly freezeRate: number;
}

/**
 * Most calls go to the tables and fewest to ARM, whose faults teach the most: taken together, `rate` of all calls.
 * What outages do comes on top of it.
 */
const share: Readonly<Record<SimulatedPort, number>> = { tables: 0.8, kubernetes: 1.3, arm: 3.5, registry: 3.5 };

/** The one source of all that goes wrong: asked in the order of calls, so the same seed gives the same faults. */
export class FaultSource {
  /** How often each kind befell a call, by `port kind`. */
  readonly counts = new Map<string, number>();
  calls = 0;
  readonly #options: FaultSourceOptions;
  readonly #tables = new Map<string, readonly (readonly [PlannedFault, number])[]>();

  constructor(options: FaultSourceOptions) {
    this.#options = options;
  }

  get isOver(): boolean {
    return this.#options.now() >= this.#options.until;
  }

  plan(call: Call, process: string): Plan {
    this.calls += 1;
    const { chance, rate } = this.#options;
    const plain: Plan = {
      kind: undefined,
      outMs: chance.between(1, 40),
      backMs: chance.between(1, 40),
      hasEffect: true,
    };
    if (this.isOver) return plain;
    const kind =
      this.#outageOf(call, process) ?? (chance.isHit(rate * share[call.port]) ? this.#draw(call) : undefined);
    if (kind === undefined) return plain;
    this.count(`${call.port}: ${kind}`);
    return { ...plain, kind, ...consequences[kind](call, this.#options.chance) };
  }

  /** What happens to the process itself around this call; it is frozen for `freezeMs`. */
  fate(): ProcessFault | undefined {
    if (this.isOver) return undefined;
    const { chance, killRate, freezeRate } = this.#options;
    const fate = fateOf(chance.next(), killRate, freezeRate);
    if (fate !== undefined) this.count(`process: ${fate.kind} ${fate.moment}`);
    return fate;
  }

  freezeMs(): number {
    return this.#options.chance.between(5_000, 90_000);
  }

  count(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  #outageOf(call: Call, process: string): PlannedFault | undefined {
    const now = this.#options.now();
    const active = this.#options.outages.find(
      (outage) =>
        outage.port === call.port &&
        outage.from <= now &&
        now < outage.to &&
        (outage.process === undefined || outage.process === process),
    );
    if (active === undefined) return undefined;
    switch (active.kind) {
      case 'port down':
      case 'token expired':
        return active.kind;
      case 'ETag storm':
        return call.method === 'submit' && this.#options.chance.isHit(0.7) ? active.kind : undefined;
      case '409 ServiceUnavailable':
        return call.method === 'createOrUpdate' ? active.kind : undefined;
    }
  }

  #draw(call: Call): PlannedFault {
    const name = `${call.port}.${call.method}`;
    const table = this.#tables.get(name) ?? weightsOf(name);
    this.#tables.set(name, table);
    let left = this.#options.chance.next() * table.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [kind, weight] of table) {
      left -= weight;
      if (left < 0) return kind;
    }
    return 'reset before';
  }
}

function fateOf(drawn: number, killRate: number, freezeRate: number): ProcessFault | undefined {
  if (drawn < killRate / 2) return { kind: 'kill', moment: 'before' };
  if (drawn < killRate) return { kind: 'kill', moment: 'after' };
  return drawn < killRate + freezeRate ? { kind: 'freeze', moment: 'after' } : undefined;
}
