import type { PlannedFault } from '../../infra/local/sim/faults/request-plan.ts';

type Weights = Readonly<Partial<Record<PlannedFault, number>>>;

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
export const weightsOf = (name: string): readonly (readonly [PlannedFault, number])[] =>
  Object.entries({ ...everywhere, ...special[name] }).map(([kind, weight]) => [kind as PlannedFault, weight] as const);
