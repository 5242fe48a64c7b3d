import { conflictCodes } from '../../../../shared/adapters/tables/row-table.ts';
import type { Fault } from '../../../../shared/core/fault.ts';
import type { Chance } from '../time/chance.ts';
import type { SimulatedPort, RequestFault, Side } from './vocabulary.ts';

/** One request of a process, before it leaves. */
export interface Call {
  readonly port: SimulatedPort;
  readonly method: string;
  /** What it is about, for the journal: a group, a pod, a row. */
  readonly key: string;
}

/** What becomes of one request. */
export interface Plan {
  readonly kind: PlannedFault | undefined;
  /** Until it reaches the server. */
  readonly outMs: number;
  /** Until the answer reaches the process. */
  readonly backMs: number;
  /** Whether the server acts on it. */
  readonly hasEffect: boolean;
  /** Reported instead of what the server answers. */
  readonly answer?: Fault;
  /** No answer ever comes: the caller's own time-out ends it. */
  readonly hangs?: true;
}

/** What befalls a request of a port in memory; of HTTP it knows nothing. */
export type PlannedFault = Exclude<RequestFault, `unavailable ${Side}` | 'truncated body'>;

const defaultRetryAfterMs: Readonly<Record<SimulatedPort, number>> = {
  kubernetes: 1000,
  arm: 10_000,
  tables: 1000,
  registry: 5000,
};

const refused = (answer: Fault): Partial<Plan> => ({ hasEffect: false, answer });
const transient = (message: string): Fault => ({ kind: 'transient', message });
const conflict = (code: string, message: string): Fault => ({ kind: 'conflict', code, message });
const changedRow = refused(conflict(conflictCodes.changed, 'the row has another ETag'));
/** The server's side plays these: what is in memory for Kubernetes, ARM and the tables. */
const played = (): Partial<Plan> => ({});

type Consequence = (call: Call, chance: Chance) => Partial<Plan>;

/** What each kind does to a request and its answer. */
export const consequences: Readonly<Record<PlannedFault, Consequence>> = {
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
  // A PUT may land long after its caller has given up; within the minute for which an open intent holds.
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
