import type { Fault } from '../../shared/core/fault.ts';
import { conflictCodes } from '../../shared/adapters/tables/row-table.ts';
import type { Chance } from './seed.ts';

export type Port = 'kubernetes' | 'arm' | 'tables';

/** One request of a process, before it leaves. */
export interface Call {
  readonly port: Port;
  readonly method: string;
  /** What it is about, for the journal: a group, a pod, a row. */
  readonly key: string;
}

export type FaultKind =
  | 'throttled'
  | 'throttled without Retry-After'
  | 'server error before'
  | 'server error after'
  | 'time-out before'
  | 'time-out after'
  | 'reset before'
  | 'reset after'
  | 'slow request'
  | 'slow answer'
  | 'garbage body'
  | 'token expired'
  | 'stale'
  | '409 resourceVersion'
  | '409 AlreadyExists'
  | '409 UID'
  | '409 ContainerGroupTransitioning'
  | '409 RegistryErrorResponse'
  | '409 ServiceUnavailable'
  | '412 ETag'
  | 'ETag storm'
  | 'operation lost'
  | 'provisioning fails'
  | 'port down';

/** What becomes of one request. */
export interface Plan {
  readonly kind: FaultKind | undefined;
  /** Until it reaches the server. */
  readonly outMs: number;
  /** Until the answer reaches the process. */
  readonly backMs: number;
  /** Whether the server acts on it. */
  readonly hasEffect: boolean;
  /** Told instead of what the server answers. */
  readonly answer?: Fault;
  /** No answer ever comes: the caller's own time-out ends it. */
  readonly hangs?: true;
}

type Weights = Readonly<Partial<Record<FaultKind, number>>>;

const everywhere: Weights = {
  throttled: 2,
  'throttled without Retry-After': 0.3,
  'server error before': 1,
  'server error after': 1,
  'time-out before': 1,
  'time-out after': 1,
  'reset before': 2,
  'reset after': 2,
  'slow request': 1,
  'slow answer': 1,
  'garbage body': 1,
  'token expired': 1,
};

/** What can also happen to single methods. */
const special: Readonly<Record<string, Weights>> = {
  'kubernetes.patchPodStatus': { '409 resourceVersion': 6, '409 UID': 0.3 },
  'kubernetes.deletePod': { '409 UID': 0.3 },
  'kubernetes.updateLease': { '409 resourceVersion': 4 },
  'kubernetes.createLease': { '409 AlreadyExists': 4 },
  'kubernetes.createNode': { '409 AlreadyExists': 4 },
  'arm.get': { stale: 12 },
  'arm.list': { stale: 12 },
  'arm.createOrUpdate': {
    '409 ContainerGroupTransitioning': 2,
    '409 RegistryErrorResponse': 1,
    '409 ServiceUnavailable': 2,
    'operation lost': 1,
    'provisioning fails': 2,
  },
  'arm.stop': { '409 ContainerGroupTransitioning': 6 },
  'arm.delete': { '409 ContainerGroupTransitioning': 6 },
  'tables.submit': { '412 ETag': 6 },
  'tables.insert': { '412 ETag': 3, '409 AlreadyExists': 3 },
  'tables.remove': { '412 ETag': 6 },
};

/** A time in which a port is away as a whole, or refuses one process, or is in great demand. */
export interface Outage {
  readonly port: Port;
  readonly kind: 'port down' | 'token expired' | 'ETag storm' | '409 ServiceUnavailable';
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

/** The one source of all that goes wrong: asked in the order of calls, so the same seed gives the same faults. */
export class FaultSource {
  /** How often each kind befell a call, by `port kind`. */
  readonly counts = new Map<string, number>();
  calls = 0;
  readonly #options: FaultSourceOptions;
  readonly #tables = new Map<string, readonly (readonly [FaultKind, number])[]>();

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
    const kind = this.#outageOf(call, process) ?? (chance.isHit(rate) ? this.#draw(call) : undefined);
    if (kind === undefined) return plain;
    this.count(`${call.port}: ${kind}`);
    return { ...plain, kind, ...this.#consequence(call, kind) };
  }

  /** What happens to the process itself around this call. */
  fate(): 'dies before' | 'dies after' | 'freezes' | undefined {
    if (this.isOver) return undefined;
    const { chance, killRate, freezeRate } = this.#options;
    const drawn = chance.next();
    const fate =
      drawn < killRate / 2
        ? 'dies before'
        : drawn < killRate
          ? 'dies after'
          : drawn < killRate + freezeRate
            ? 'freezes'
            : undefined;
    if (fate !== undefined) this.count(`process: ${fate}`);
    return fate;
  }

  freezeMs(): number {
    return this.#options.chance.between(5_000, 90_000);
  }

  count(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  #outageOf(call: Call, process: string): FaultKind | undefined {
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

  #draw(call: Call): FaultKind {
    const name = `${call.port}.${call.method}`;
    const table = this.#tables.get(name) ?? toTable({ ...everywhere, ...special[name] });
    this.#tables.set(name, table);
    let left = this.#options.chance.next() * table.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [kind, weight] of table) {
      left -= weight;
      if (left < 0) return kind;
    }
    return 'reset before';
  }

  #consequence(call: Call, kind: FaultKind): Partial<Plan> {
    const { chance } = this.#options;
    switch (kind) {
      case 'throttled':
        return refused({ kind: 'throttled', retryAfterMs: chance.between(1, 5) * 1000, message: 'too many requests' });
      case 'throttled without Retry-After':
        return refused({
          kind: 'throttled',
          retryAfterMs: defaultRetryAfterMs[call.port],
          message: 'too many requests',
        });
      case 'server error before':
      case 'reset before':
        return refused(transient(kind));
      case 'server error after':
      case 'reset after':
      case 'garbage body':
        return { answer: transient(kind) };
      case 'time-out before':
        return { hangs: true, hasEffect: false };
      case 'time-out after':
        return { hangs: true };
      case 'slow request':
        // A PUT may land long after its caller has given up; within the minute for which an open intent stands.
        return { outMs: chance.between(1_000, call.method === 'createOrUpdate' ? 40_000 : 13_000) };
      case 'slow answer':
        return { backMs: chance.between(1_000, 13_000) };
      case 'token expired':
        return refused({
          kind: 'denied',
          code: call.port === 'arm' ? 'InvalidAuthenticationToken' : 'Unauthorized',
          message: 'the token has expired',
        });
      case 'port down':
        return chance.isHit(0.3) ? { hangs: true, hasEffect: false } : refused(transient('connection refused'));
      case '409 AlreadyExists':
        return {
          answer: {
            kind: 'conflict',
            code: call.port === 'tables' ? conflictCodes.exists : 'AlreadyExists',
            message: 'it exists',
          },
        };
      case '412 ETag':
      case 'ETag storm':
        return refused({ kind: 'conflict', code: conflictCodes.changed, message: 'the row has another ETag' });
      case '409 ContainerGroupTransitioning':
        return refused({
          kind: 'conflict',
          code: 'ContainerGroupTransitioning',
          message: 'The container group is still transitioning, please retry later.',
        });
      case '409 RegistryErrorResponse':
        return refused({
          kind: 'conflict',
          code: 'RegistryErrorResponse',
          message: 'An error response is received from the docker registry.',
        });
      case '409 ServiceUnavailable':
        return refused({
          kind: 'capacity',
          code: 'ServiceUnavailable',
          message: 'The requested resource is not available in the location at this moment.',
        });
      case '409 resourceVersion':
        return call.method === 'patchPodStatus'
          ? {}
          : refused({ kind: 'conflict', code: 'Conflict', message: 'the object has been modified' });
      case '409 UID':
      case 'stale':
      case 'operation lost':
      case 'provisioning fails':
        // The server's side plays these.
        return {};
    }
  }
}

const defaultRetryAfterMs: Readonly<Record<Port, number>> = { kubernetes: 1000, arm: 10_000, tables: 1000 };

const refused = (answer: Fault): Partial<Plan> => ({ hasEffect: false, answer });
const transient = (message: string): Fault => ({ kind: 'transient', message });
const toTable = (weights: Weights): readonly (readonly [FaultKind, number])[] =>
  Object.entries(weights).map(([kind, weight]) => [kind as FaultKind, weight] as const);
