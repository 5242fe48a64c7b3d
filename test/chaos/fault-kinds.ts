import { conflictCodes } from '../../shared/adapters/tables/row-table.ts';
import type { Fault } from '../../shared/core/fault.ts';
import type { Chance } from '../../infra/local/sim/time/chance.ts';

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
  | 'delete takes long'
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
  'arm.get': { throttled: 0.5, stale: 16 },
  'arm.list': { stale: 16 },
  'arm.createOrUpdate': {
    throttled: 0.5,
    'slow request': 10,
    'time-out after': 4,
    'reset after': 4,
    '409 ContainerGroupTransitioning': 2,
    '409 RegistryErrorResponse': 1,
    '409 ServiceUnavailable': 2,
    'operation lost': 1,
    'provisioning fails': 2,
  },
  'arm.stop': { '409 ContainerGroupTransitioning': 6 },
  'arm.delete': { '409 ContainerGroupTransitioning': 6, 'delete takes long': 12 },
  'tables.submit': { '412 ETag': 6 },
  'tables.insert': { '412 ETag': 3, '409 AlreadyExists': 3 },
  'tables.remove': { '412 ETag': 6 },
};

/** What may befall a method, each with its weight. */
export const weightsOf = (name: string): readonly (readonly [FaultKind, number])[] =>
  Object.entries({ ...everywhere, ...special[name] }).map(([kind, weight]) => [kind as FaultKind, weight] as const);

const defaultRetryAfterMs: Readonly<Record<Port, number>> = { kubernetes: 1000, arm: 10_000, tables: 1000 };

const refused = (answer: Fault): Partial<Plan> => ({ hasEffect: false, answer });
const transient = (message: string): Fault => ({ kind: 'transient', message });
const conflict = (code: string, message: string): Fault => ({ kind: 'conflict', code, message });
const changedRow = refused(conflict(conflictCodes.changed, 'the row has another ETag'));
/** The server's side plays these. */
const played = (): Partial<Plan> => ({});

type Consequence = (call: Call, chance: Chance) => Partial<Plan>;

/** What each kind does to a request and its answer. */
export const consequences: Readonly<Record<FaultKind, Consequence>> = {
  throttled: (_, chance) =>
    refused({ kind: 'throttled', retryAfterMs: chance.between(1, 5) * 1000, message: 'too many requests' }),
  'throttled without Retry-After': ({ port }) =>
    refused({ kind: 'throttled', retryAfterMs: defaultRetryAfterMs[port], message: 'too many requests' }),
  'server error before': () => refused(transient('HTTP 500')),
  'server error after': () => ({ answer: transient('HTTP 500') }),
  'time-out before': () => ({ hangs: true, hasEffect: false }),
  'time-out after': () => ({ hangs: true }),
  'reset before': () => refused(transient('connection reset')),
  'reset after': () => ({ answer: transient('connection reset') }),
  // A PUT may land long after its caller has given up; within the minute for which an open intent stands.
  'slow request': ({ method }, chance) => ({
    outMs: chance.between(1_000, method === 'createOrUpdate' ? 40_000 : 13_000),
  }),
  'slow answer': (_, chance) => ({ backMs: chance.between(1_000, 13_000) }),
  'garbage body': () => ({ answer: transient('the body is not what was promised') }),
  'token expired': ({ port }) =>
    refused({
      kind: 'denied',
      code: port === 'arm' ? 'InvalidAuthenticationToken' : 'Unauthorized',
      message: 'the token has expired',
    }),
  'port down': (_, chance) =>
    chance.isHit(0.3) ? { hangs: true, hasEffect: false } : refused(transient('connection refused')),
  '409 AlreadyExists': ({ port }) => ({
    answer: conflict(port === 'tables' ? conflictCodes.exists : 'AlreadyExists', 'it exists'),
  }),
  '412 ETag': () => changedRow,
  'ETag storm': () => changedRow,
  '409 ContainerGroupTransitioning': () =>
    refused(conflict('ContainerGroupTransitioning', 'The container group is still transitioning, please retry later.')),
  '409 RegistryErrorResponse': () =>
    refused(conflict('RegistryErrorResponse', 'An error response is received from the docker registry.')),
  '409 ServiceUnavailable': () =>
    refused({ kind: 'capacity', code: 'ServiceUnavailable', message: 'The requested resource is not available.' }),
  '409 resourceVersion': ({ method }) =>
    method === 'patchPodStatus' ? {} : refused(conflict('Conflict', 'the object has been modified')),
  '409 UID': played,
  stale: played,
  'operation lost': played,
  'provisioning fails': played,
  'delete takes long': played,
};
